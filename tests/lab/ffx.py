"""A false ffmpeg that does what a test tells it: any exit code, signal, silence or flood.

`ffx(folder, "say No space left on device", "exit 228")` is a program that takes these steps, whatever its arguments.
Asked about itself (`-version`, `-encoders`, …) it answers as the real one. Steps:

    say TEXT           a line on stderr            progress WORDS    a progress block, words like frame=1
    exit N             end with a code             signal N          end by a signal
    sleep S            do nothing                  stall             do nothing for ever
    talk               report the same for ever    advance           report progress for ever
    spin S             use processor time          flood BYTES       lines on stderr
    line BYTES         one line on stderr          print BYTES       zeros on stdout
    deaf               ignore SIGTERM              fork              a deaf child that holds the pipes
    note NAME          write pid, environment, argv   real              become the real ffmpeg
    unless WORD        become the real one if no argument is WORD
"""

from __future__ import annotations

import sys
from pathlib import Path

from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.watchdog import Watchdog
from tests.lab.media import ffmpeg_binary

_PROGRAM = r"""
import json, os, signal, sys, time

def report(*words, end="continue"):
    sys.stdout.write("\n".join([*words, "progress=" + end, ""]))
    sys.stdout.flush()

def forever(step):
    number = 0
    while True:
        number += 1
        step(number)
        time.sleep(0.05)

def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def flood(piece, size):
    while size > 0:
        size -= os.write(2, piece[:size])

def fork():
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open("grandchild", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(3600)
    while not os.path.exists("grandchild"):
        time.sleep(0.01)

def note(name):
    with open(name + ".part", "w") as file:
        json.dump({"pid": os.getpid(), "environment": dict(os.environ), "argv": sys.argv}, file)
    os.rename(name + ".part", name)

STEP = {
    "say": lambda text: sys.stderr.write(text + "\n"),
    "progress": lambda words: report(*words.split()),
    "end": lambda words: report(*words.split(), end="end"),
    "exit": lambda code: os._exit(int(code)),
    "signal": lambda number: os.kill(os.getpid(), int(number)),
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "stall": lambda _: time.sleep(3600),
    "talk": lambda _: forever(lambda _: report("frame=1", "out_time_us=1000")),
    "advance": lambda _: forever(lambda n: report(f"frame={n}", f"out_time_us={n}000")),
    "spin": lambda seconds: spin(float(seconds)),
    "flood": lambda size: flood((b"x" * 199 + b"\n") * 5000, int(size)),
    "line": lambda size: flood(b"x" * 10**6, int(size)),
    "print": lambda size: sys.stdout.write("\0" * int(size)),
    "deaf": lambda _: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "fork": lambda _: fork(),
    "note": note,
    "unless": lambda word: word in sys.argv or os.execv(REAL, [REAL, *sys.argv[1:]]),
    "real": lambda _: os.execv(REAL, [REAL, *sys.argv[1:]]),
}

if {"-version", "-encoders", "-filters", "-protocols"} & set(sys.argv):
    os.execv(REAL, [REAL, *sys.argv[1:]])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
for step in STEPS:
    word, _, rest = step.partition(" ")
    STEP[word](rest)
    sys.stderr.flush()
    sys.stdout.flush()
"""


def ffx(folder: Path, *steps: str) -> Path:
    """The program, in `folder`."""
    path = folder / "ffx"
    head = f"#!{sys.executable} -IS\nREAL = {ffmpeg_binary()!r}\nSTEPS = {steps!r}\n"
    path.write_text(head + _PROGRAM)
    path.chmod(0o755)
    return path


def launcher_of(program: Path, *, grace_s: float = 0.3, dog: Watchdog | None = None) -> Launcher:
    """A launcher of `program`, a Python script, in the same box as the real one."""
    python = (Path(sys.prefix), Path(sys.base_prefix), Path(ffmpeg_binary()), program.parent)
    return Launcher(binary=program, readable=python, grace_s=grace_s, dog=dog)
