"""What `postmaster.pid` says of a running server, and the end of one whose owner is gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SHORT_SOCKETS = "encoder-pg-"  # begins the name of a folder of sockets outside the data folder
_POLL_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """The server that wrote the pid file; it may be long dead and its number somebody else's."""

    pid: int
    sockets: str
    status: str

    def serves(self, data: Path) -> bool:
        """Whether it lives and serves `data`: by its command line, which root may read without further rights."""
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return b"-D" in command and os.fsencode(data) in command


def read(data: Path) -> Postmaster | None:
    """The pid file of a data folder; None while there is none, or not a whole one."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    pid, _, _, _, sockets, *rest = [*lines, *[""] * 8]  # it is written line by line as the server comes up
    return Postmaster(pid=int(pid), sockets=sockets, status=rest[2].strip()) if pid.isdigit() else None


def ready(data: Path, pid: int) -> bool:
    """Whether server `pid` takes connections, as `pg_ctl` sees it."""
    found = read(data)
    return found is not None and found.pid == pid and found.status == "ready"


async def stop_leftover(data: Path) -> None:
    """Stop a server whose owner was killed; we hold the folder's lock, so nobody else needs it."""
    left = read(data)
    if left is None:
        return
    if left.serves(data):
        await _stop(left, data)
    else:
        _clear_number(left.pid, data)
    if Path(left.sockets).name.startswith(SHORT_SOCKETS):
        shutil.rmtree(left.sockets, ignore_errors=True)


async def _stop(left: Postmaster, data: Path) -> None:
    for sign, patience_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        with suppress(ProcessLookupError):
            os.kill(left.pid, sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while left.serves(data):  # noqa: ASYNC110  # not our child: nothing signals its end
                    await asyncio.sleep(_POLL_S)
            return


def _clear_number(pid: int, data: Path) -> None:
    """PostgreSQL takes any living process of that number for a server, and would refuse to start."""
    if Path(f"/proc/{pid}").exists():
        (data / "postmaster.pid").unlink()
