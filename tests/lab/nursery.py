"""Roles that begin with their imports made: forks of a process that has made them, each a process like any other.

To import the product takes 0.9 s of CPU, and the tests start hundreds of roles. A role that is born here runs the same
program from its first line on: arguments, environment, folder, log, signals and exit code are its own. That the program
starts from nothing is seen wherever a test runs the command, a container or another release.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

REPOSITORY = Path(__file__).parent.parent.parent
PROGRAMS = {"encoder", "tests.lab.hasty", "tests.lab.doomed"}  # ours, and not of another release
_MADE = (
    "encoder.cli.serve",
    "encoder.roles.serve",
    "encoder.roles.operate",
    "encoder.store.postgres",
    "encoder.store.mysql",
)
_LARGEST_BYTES = 1 << 17  # of a message
_turn = threading.Lock()


class Process(Protocol):
    """What tests do with a process, whoever started it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...

    def send_signal(self, signal: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Born:
    """As `asyncio.subprocess.Process`, on whatever loop."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        if self._code is None and select.select([self._pidfd], [], [], 0)[0]:
            self._code = os.waitstatus_to_exitcode(_said({"ended": self.pid}))
            os.close(self._pidfd)
        return self._code

    async def wait(self) -> int:
        while (code := self.returncode) is None:
            await self._gone()
        return code

    async def _gone(self) -> None:
        loop, pidfd = asyncio.get_running_loop(), os.dup(self._pidfd)  # several may wait
        gone = asyncio.Event()
        loop.add_reader(pidfd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(pidfd)
            os.close(pidfd)

    def send_signal(self, signal: int, /) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, signal)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def bears(program: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a program may be started here: what it would import is what is imported already."""
    return (
        len(program) == 2
        and program[1] in PROGRAMS
        and environment.get("PYTHONPATH", str(REPOSITORY)) == str(REPOSITORY)
    )


def start(
    program: Sequence[str], arguments: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str]
) -> Born:
    """`log`: where its output goes."""
    asked = {
        "module": program[1], "arguments": [*arguments], "folder": str(folder), "log": str(log),
        "environment": dict(environment),
    }  # fmt: skip
    return Born(_said(asked))


def _said(asked: Mapping[str, object]) -> int:
    with _turn:
        nursery = _nursery()
        nursery.send(json.dumps(asked).encode())
        return int(nursery.recv(_LARGEST_BYTES))


@functools.cache
def _nursery() -> socket.socket:
    """One for each process of tests; it ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.nursery", str(theirs.fileno())],
            cwd=REPOSITORY, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve(asks: socket.socket) -> None:
    for name in _MADE:
        import_module(name)
    gc.collect()
    gc.freeze()
    while message := asks.recv(_LARGEST_BYTES):
        asked = json.loads(message)
        if "ended" in asked:
            _, status = os.waitpid(asked["ended"], 0)
            asks.send(str(status).encode())
        elif pid := os.fork():
            asks.send(str(pid).encode())
        else:
            asks.close()
            _live(asked)


def _live(asked: Mapping[str, Any]) -> None:
    """All that an interpreter does between its start and its end; does not return."""
    code = 1
    try:
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        time.tzset()
        tempfile.tempdir = None
        sys.path[:] = [asked["folder"], *(each for each in sys.path if Path(each) != REPOSITORY)]
        if "PYTHONPATH" in os.environ:
            sys.path.insert(1, str(REPOSITORY))
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        sys.argv = ["", *asked["arguments"]]
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as asked_for:
        code = asked_for.code if isinstance(asked_for.code, int) else int(asked_for.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter does
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does, and the next
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
