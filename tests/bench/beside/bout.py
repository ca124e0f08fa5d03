"""One contender on a PostgreSQL of its own: fresh, on this disk, with defaults (and so with fsync)."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from encoder.embedded import programs
from encoder.embedded.postgres import Postgres
from tests.bench.beside.contenders import Contender
from tests.bench.beside.kit import REPOSITORY

AT_ONCE = 10
NOW = timedelta(0)
_LINE_BYTES = 1 << 24
_STOP_S = 15.0
_FIRST_TASK_S = 20.0
_POLL_S = 0.02
_COMMIT = re.compile(r"COMMIT (\S+ \S+) UTC")


class Workers:
    """Processes that work at the same time, and which tasks began when."""

    def __init__(self, processes: list[Process]) -> None:
        self._processes = processes
        self._readers = [asyncio.ensure_future(self._read(process)) for process in processes]
        self.begun: list[tuple[float, str]] = []

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.begun += [(at, task) for at, task in json.loads(line)]

    async def worked(self, *, count: int, within_s: float) -> list[float]:
        """When tasks began, in order: the first `count` of them, or those of `within_s` after the first."""
        await self._until(1, _FIRST_TASK_S)
        await self._until(count, within_s)
        return sorted(at for at, _ in self.begun)[:count]

    async def _until(self, count: int, within_s: float) -> None:
        end = time.monotonic() + within_s
        while len(self.begun) < count and time.monotonic() < end:
            await asyncio.sleep(_POLL_S)

    @property
    def twice(self) -> int:
        """How many tasks began more than once."""
        return len(self.begun) - len({task for _, task in self.begun})

    def cpu_s(self) -> float:
        """Processor time of all of them so far."""
        return sum(_cpu_s(process.pid) for process in self._processes)

    async def stop(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        await asyncio.gather(*self._readers)


class Bout:
    """A contender with its database. `folder` is the server's."""

    def __init__(self, contender: Contender, command: tuple[str, ...], dsn: str, folder: Path) -> None:
        self._contender = contender
        self._command = command
        self._environ = os.environ | {"PEER_DSN": dsn}
        self._dsn = dsn
        self.folder = folder

    async def install(self) -> None:
        await self._said("install")

    async def enqueue(self, seconds: float) -> float:
        """Tasks stored per second, one by one, by ten callers."""
        told = json.loads(await self._said("enqueue", str(seconds), str(AT_ONCE)))
        return float(told["count"] / told["seconds"])

    async def tell(self, count: int, gap_s: float) -> list[tuple[float, float]]:
        """Store so many with a pause before each; when each was called, and when it was answered."""
        return [(called, answered) for called, answered in json.loads(await self._said("tell", str(count), str(gap_s)))]

    async def fill(self, count: int, *, due: timedelta = NOW) -> None:
        """Make so many tasks stand there, quickly; no statistics are gathered of them."""
        async with self.sql() as connection:
            # without triggers: a notify of each of a million is nobody's way to make a backlog
            await connection.execute("SET session_replication_role = replica")
            await connection.execute(self._contender.copies, count, due)

    async def vacuum(self) -> None:
        """What autovacuum and the checkpointer would have done by then."""
        async with self.sql() as connection:
            await connection.execute("VACUUM ANALYZE")
            await connection.execute("CHECKPOINT")

    async def commits(self) -> list[float]:
        """When transactions that wrote something were committed, in seconds of the monotonic clock, in order.

        Read out of the log that the server keeps of them; each stands there just before it is flushed to the disk.
        """
        segments = sorted((self.folder / "data" / "pg_wal").glob("0*"))
        asked = (programs.find(None).folder / "pg_waldump", "--rmgr=Transaction", segments[0], segments[-1])
        reader = await asyncio.create_subprocess_exec(*asked, env=os.environ | {"TZ": "UTC"}, stdout=PIPE, stderr=PIPE)
        told, error = await reader.communicate()
        found = _COMMIT.findall(told.decode())
        if not found:  # that it fails is no sign: it always does, where the log ends
            raise ChildProcessError(f"no commit in the server's log: {error.decode()}")
        ahead = time.time() - time.monotonic()
        return sorted(datetime.fromisoformat(f"{at}+00:00").timestamp() - ahead for at in found)

    def cpu_s(self) -> float:
        """Processor time of the server and all its processes, those that have ended too."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        return sum(_cpu_s(pid) for pid in (postmaster, *_children(postmaster)))

    async def left(self) -> int:
        async with self.sql() as connection:
            return int(await connection.fetchval(self._contender.left))

    @asynccontextmanager
    async def sql(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self._dsn)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """An open transaction that looks at the database as it stood when it began."""
        async with self.sql() as connection, connection.transaction(isolation="repeatable_read"):
            await connection.fetchval("SELECT txid_current()")
            yield

    @asynccontextmanager
    async def working(self, processes: int = 1) -> AsyncIterator[Workers]:
        workers = Workers([await self._start("work", str(AT_ONCE)) for _ in range(processes)])
        try:
            yield workers
        finally:
            await workers.stop()

    async def _said(self, *said: str) -> bytes:
        process = await self._start(*said)
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise ChildProcessError(f"{self._contender.name} {said[0]} ended with {process.returncode}")
        return output

    async def _start(self, *said: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._command, *said, cwd=REPOSITORY, env=self._environ, stdout=PIPE, limit=_LINE_BYTES
        )


@asynccontextmanager
async def bout(
    contender: Contender, command: tuple[str, ...], settings: Mapping[str, str] | None = None
) -> AsyncIterator[Bout]:
    """A fresh server with the contender's tables; all goes away at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        folder.chmod(0o755)  # the server runs as somebody else
        dsn = await stack.enter_async_context(Postgres(folder / "db", settings=settings).running())
        fresh = Bout(contender, command, dsn, folder / "db")
        await fresh.install()
        yield fresh


def _children(pid: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            if int(_stat(stat)[1]) == pid:
                yield int(stat.parent.name)


def _cpu_s(pid: int) -> float:
    """With that of children that it has waited for; 0.0 when it has just ended."""
    try:
        fields = _stat(Path(f"/proc/{pid}/stat"))
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _stat(path: Path) -> list[str]:
    """What stands behind the program's name: state, parent, …"""
    return path.read_text().rpartition(")")[2].split()
