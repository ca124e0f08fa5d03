"""A private MariaDB for a test session, as `postgres.py`: Debian's server, in a folder of the test's own.

Nobody has it as a wheel: where it is not installed, and cannot be, its tests skip and say so.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncmy
from asyncmy import errors as driver

from encoder.store.mysql import sql
from encoder.store.mysql.address import Address
from encoder.store.mysql.migrate import upgrade
from tests.lab.platform import free_port

START_S = 60.0
_BINARIES = ("mariadbd", "mariadb-install-db")
_TABLES = set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", sql.read("schema"))) - {"schema_version", "queues"} | {
    "lab_stale_writes"
}
_QUEUES_AS_MADE = (
    "DELETE FROM queues WHERE queue NOT IN ('encode', 'io')",
    "UPDATE queues SET next_seq = 1, paused_at = NULL, paused_because = NULL",
)
_NUMBERED = {"jobs", "tasks", "webhook_deliveries"}
_SPOKEN = "mariadbd is not installed; `make setup` as root installs it"


Watch = Callable[[str], Awaitable[None]]


async def _nobody(_dsn: str) -> None: ...


def absence() -> str | None:
    """Why there is none; None where there is one."""
    return None if all(_binary(name) for name in _BINARIES) else _SPOKEN


def _binary(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def database(dsn: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


class Server:
    """A running server. To make our tables takes a third of a second: a database that was emptied serves again."""

    def __init__(self, dsn: str, folder: Path, watch: Watch) -> None:
        self.dsn = dsn
        self.folder = folder
        self._watch = watch
        self._free: list[str] = []

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str]:
        """A database without any table."""
        name = f"test_{uuid4().hex}"
        await self.administer(f"CREATE DATABASE {name}")
        try:
            yield database(self.dsn, name)
        finally:
            await self.administer(f"DROP DATABASE {name}")

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[str]:
        """A database with our schema, no row, and every number still to be given."""
        name = self._free.pop() if self._free else await self._make()
        dsn = database(self.dsn, name)
        yield dsn
        await self._empty(dsn, name)
        self._free.append(name)

    async def _make(self) -> str:
        name = f"ready_{uuid4().hex}"
        await self.administer(f"CREATE DATABASE {name}")
        await upgrade(database(self.dsn, name))
        await self._watch(database(self.dsn, name))
        return name

    async def _empty(self, dsn: str, name: str) -> None:
        of_others = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"  # noqa: S608  # a name of ours
        for (number,) in await ask(self.dsn, of_others):
            with suppress(driver.MySQLError):  # it went by itself
                await self.administer(f"KILL {number}")
        there = await ask(dsn, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
        kept = _TABLES & {table for (table,) in there}
        await run(dsn, *(f"DELETE FROM {table}" for table in kept))  # noqa: S608  # tables of ours
        await run(dsn, *_QUEUES_AS_MADE)
        await run(dsn, *(f"ALTER TABLE {table} AUTO_INCREMENT = 1" for table in kept & _NUMBERED))

    async def administer(self, *texts: str) -> None:
        await run(self.dsn, *texts)


async def connect(dsn: str) -> asyncmy.Connection:
    """A connection as anybody would make it: none of our session, each statement its own transaction."""
    address = Address.of(dsn)
    return await asyncmy.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        autocommit=True,
        init_command="SET time_zone = '+00:00'",
    )


async def run(dsn: str, *texts: str) -> None:
    """Some statements."""
    connection = await connect(dsn)
    try:
        async with connection.cursor() as cursor:
            for text in texts:
                await cursor.execute(text)
    finally:
        connection.close()


async def ask(dsn: str, question: str) -> list[tuple[Any, ...]]:
    """The rows that answer."""
    async with asking(dsn) as answers:
        return await answers(question)


@asynccontextmanager
async def asking(dsn: str) -> AsyncIterator[Callable[[str], Awaitable[list[tuple[Any, ...]]]]]:
    """As `ask`, for several questions by one connection."""
    connection = await connect(dsn)

    async def answers(question: str) -> list[tuple[Any, ...]]:
        async with connection.cursor() as cursor:
            await cursor.execute(question)
            return [tuple(row) for row in await cursor.fetchall()]

    try:
        yield answers
    finally:
        connection.close()


class Process:
    """The server of one folder, made when it first starts. It may be stopped and started again, at the same address."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        """`durable`: what was committed outlives the process, though not the machine."""
        self._folder = folder
        self._port = free_port()
        self._flush = 2 if durable else 0
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        return f"mysql://root@127.0.0.1:{self._port}/mysql"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        if not self._folder.exists():
            _install(self._folder)
        socket = self._folder / "s"
        socket.unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as output:
            self._server = subprocess.Popen(
                self._command(socket), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            _wait(socket, self._server, self._folder / "error.log")
        except BaseException:
            self.stop(at_once=True)
            raise

    def stop(self, *, at_once: bool = False) -> None:
        """`at_once`: as a crash would. Harmless when it does not run."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
            self._server.wait()
            self._server = None

    def _command(self, socket: Path) -> list[str]:
        return [
            str(_binary("mariadbd")),
            "--no-defaults",
            f"--datadir={self._folder / 'data'}",
            f"--socket={socket}",
            f"--tmpdir={self._folder}",  # a server that starts clears the folder, of others' tables too
            f"--port={self._port}",
            "--bind-address=127.0.0.1",
            f"--pid-file={self._folder / 'pid'}",
            f"--log-error={self._folder / 'error.log'}",
            f"--innodb-flush-log-at-trx-commit={self._flush}",
            "--innodb-flush-method=nosync",  # a test kills processes, never the machine
            "--innodb-file-per-table=0",  # tables come and go with each test
            "--innodb-buffer-pool-size=64M",
            "--max-connections=400",
            *_as_root(),
        ]


@contextmanager
def server(folder: Path, *, watch: Watch = _nobody) -> Iterator[Server]:
    """A server for a whole session. `watch`: what each database gets beside our schema."""
    process = Process(folder)
    process.start()
    try:
        yield Server(process.dsn, folder, watch)
    finally:
        process.stop(at_once=True)


def _install(folder: Path) -> None:
    folder.mkdir()
    subprocess.run(
        [
            str(_binary("mariadb-install-db")),
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *_as_root(),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(folder)},  # as above: it starts a server too
    )


def _as_root() -> list[str]:
    return ["--user=root"] if os.getuid() == 0 else []


def _wait(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while not socket.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)
