"""Real servers, started by the tests that talk to them; nothing of them outlives us, however we end."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

START_S = 30.0


def require_programs(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and os.getuid() != 0:  # root has had the chance to install them: then it is a fault
        pytest.skip(f"not installed: {', '.join(missing)} (scripts/setup.sh does it as root)")


@contextmanager
def serving(command: Sequence[str | Path], *, log: Path, at: Sequence[tuple[str, int]]) -> Iterator[None]:
    """Run a server until the block ends, once it listens `at` all these addresses. It dies with us."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for address in at:
            _wait_for(address, process, log)
        yield
    finally:
        process.kill()  # it has nothing to lose
        process.wait()


def free_ports(host: str, count: int) -> list[int]:
    """Ports of `host` that nobody listens on."""
    with contextlib.ExitStack() as taken:
        listeners = [taken.enter_context(socket.create_server((host, 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def _wait_for(address: tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody answers at {address}: {log.read_text(errors='replace')[-2000:]}")
