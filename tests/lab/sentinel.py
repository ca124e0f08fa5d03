"""Looks everywhere for a word that may stand nowhere, while the platform works and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.lab.platform import Platform

_LARGEST_BYTES = 4 * 1024 * 1024  # of a file that is read; larger ones are media
_EACH_S = 0.01


@dataclass(kw_only=True)
class Watch:
    """`seen`: where one of `words` stood. `children`: the commands of the processes that the platform started."""

    platform: Platform
    words: tuple[str, ...]
    seen: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)

    def look_at(self, where: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.seen |= {where for word in self.words if word.encode() in data}

    async def look_at_rows(self) -> None:
        """Every row of every table."""
        db = await asyncpg.connect(self.platform.dsn)
        try:
            tables = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in tables:
                rows = await db.fetch(f'SELECT t::text FROM "{table}" t')  # noqa: S608  # a name from the catalogue
                self.look_at(f"table {table}", str(rows))
        finally:
            await db.close()

    async def look_at_answers(self, job_id: int) -> None:
        """Everything that the API tells of a job."""
        for path in ("", "/events", "/outputs/0/log", "/outputs/1/log"):
            _, answer = await self.platform.call("GET", f"/jobs/{job_id}{path}")
            self.look_at(f"/jobs/…{path}", str(answer))
        for path in ("/jobs", "/workers", "/metrics", f"/ui/jobs/{job_id}", "/"):
            _, answer = await self.platform.call("GET", path, headers={"Accept": "text/html, */*"})
            self.look_at(path, str(answer))

    def look_at_files(self) -> None:
        """All that lies in the platform's folders: logs, scratch, temp, storage."""
        for path in self.platform.folder.rglob("*"):
            with suppress(OSError):
                if path.is_file() and path.stat().st_size <= _LARGEST_BYTES:
                    self.look_at(f"file {path.name}", path.read_bytes())

    def look_at_processes(self) -> None:
        """What others on the machine see of our processes, and what our children are given."""
        for role in self.platform.roles:
            own = _read(role.process.pid, "cmdline")
            self.look_at("argv of a role", own)
            for child in _below(role.process.pid):
                command = _read(child, "cmdline")
                if command in {own, b""}:
                    continue  # forked, and not yet its own program: it is still the role
                shown = command.replace(b"\0", b" ").decode()
                self.look_at(f"argv of {shown}", command)
                self.look_at(f"environ of {shown}", _read(child, "environ"))
                self.children.add(shown)


def _read(process: int, what: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/{what}").read_bytes()
    return b""


def _below(process: int) -> Iterator[int]:
    with suppress(OSError):
        for tasks in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (tasks / "children").read_text().split()):
                yield child
                yield from _below(child)


@asynccontextmanager
async def watching(platform: Platform, *words: str) -> AsyncIterator[Watch]:
    """Looks at processes and files all the time that the block takes."""
    watch = Watch(platform=platform, words=words)

    async def look() -> None:
        while True:
            watch.look_at_processes()
            watch.look_at_files()
            await asyncio.sleep(_EACH_S)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
