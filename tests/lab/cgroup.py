"""A cgroup with a limit on memory, for what a test starts in it: v1's controller, or v2."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")


def lacking() -> str:
    """Why no such cgroup can be made here; empty where one can."""
    try:
        with limited(1024**3):
            return ""
    except OSError as error:
        return f"no cgroup can be made here, for want of rights or of the controller: {error}"


@contextmanager
def limited(memory_bytes: int) -> Iterator[Sequence[str]]:
    """Words to put before a command, so that it and its children have no more memory than that."""
    v1 = _V1.is_dir()
    folder = (_V1 if v1 else _V2) / f"encoder-{uuid4().hex[:8]}"
    folder.mkdir()
    try:
        (folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(memory_bytes))
        yield ("/bin/sh", "-c", f'echo $$ >{folder}/cgroup.procs && exec "$@"', "in")
    finally:
        os.rmdir(folder)  # noqa: PTH106  # of a cgroup, whose files go with it
