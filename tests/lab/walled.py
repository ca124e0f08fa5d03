"""A role behind the walls that ffmpeg has: `python -m tests.lab.walled FOLDER[:FOLDER…] ROLE…`.

It may read everything, write into those folders alone, and open no TCP connection.
"""

from __future__ import annotations

import os
import runpy
import sys

from encoder.ffmpeg import box

if __name__ == "__main__":
    folders = sys.argv.pop(1).split(":")
    box.harden({"parent": [str(os.getppid())]})
    box.confine({"landlock": ["1"], "read": ["/"], "write": folders})
    runpy.run_module("encoder", run_name="__main__", alter_sys=True)
