"""What the kernel tells of processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def working_in(folder: Path, *, state: str = "") -> Iterator[str]:
    """The command lines of all processes that work below `folder`, or are told of it.

    `state`: of those alone that are in one of these states of /proc: `T` is stopped.
    """
    marker = str(folder).encode()
    for process in PROC.glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            works_here = str((process / "cwd").readlink()).encode().startswith(marker)
            is_so = not state or (process / "stat").read_text().rpartition(") ")[2][0] in state
        except OSError:
            continue
        if (marker in command or works_here) and is_so:
            yield command.replace(b"\0", b" ").decode(errors="replace")


def children(process: int) -> Iterator[tuple[str, str]]:
    """Name and state of each; `Z` is one that has ended, and that nobody has waited for."""
    with suppress(OSError):
        for thread in (PROC / str(process) / "task").iterdir():
            for child in (thread / "children").read_text().split():
                with suppress(OSError):
                    name, _, rest = (PROC / child / "stat").read_text().partition("(")[2].rpartition(") ")
                    yield name, rest[0]


def below(process: int) -> Iterator[int]:
    """The processes that it started, and theirs."""
    with suppress(OSError):
        for thread in (PROC / str(process) / "task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                yield child
                yield from below(child)


def descriptors(process: int) -> int:
    return len(list((PROC / str(process) / "fd").iterdir()))


def resident_bytes(process: int) -> int:
    return int((PROC / str(process) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes(process: int, *, anew: bool = False) -> int:
    """The most that was resident since it began, or was last looked at `anew`."""
    if anew:
        (PROC / str(process) / "clear_refs").write_text("5")
    status = (PROC / str(process) / "status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
