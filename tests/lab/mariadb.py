"""A private MariaDB for a test session, as `postgres.py`: Debian's server, in a folder of the test's own.

Nobody has it as a wheel: where it is not installed, and cannot be, its tests skip and say so.
"""

from __future__ import annotations

import os
import re
import shutil
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
    connection = await connect(dsn)
    try:
        async with connection.cursor() as cursor:
            await cursor.execute(question)
            return [tuple(row) for row in await cursor.fetchall()]
    finally:
        connection.close()


@contextmanager
def server(folder: Path, *, watch: Watch = _nobody) -> Iterator[Server]:
    """A server for a whole session. `watch`: what each database gets beside our schema."""
    folder.mkdir()
    data, socket, log = folder / "data", folder / "s", folder / "log"
    user = ["--user=root"] if os.getuid() == 0 else []
    subprocess.run(
        [
            str(_binary("mariadb-install-db")),
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *user,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(_binary("mariadbd")),
                "--no-defaults",
                f"--datadir={data}",
                f"--socket={socket}",
                f"--tmpdir={folder}",  # a server that starts clears the folder, of others' tables too
                f"--port={port}",
                "--bind-address=127.0.0.1",
                f"--pid-file={folder / 'pid'}",
                f"--log-error={folder / 'error.log'}",
                "--innodb-flush-log-at-trx-commit=0",  # a test kills processes, never the machine
                "--innodb-flush-method=nosync",
                "--innodb-file-per-table=0",  # tables come and go with each test
                "--innodb-buffer-pool-size=64M",
                "--max-connections=400",
                *user,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(socket, process, folder / "error.log")
        yield Server(f"mysql://root@127.0.0.1:{port}/mysql", folder, watch)
    finally:
        process.kill()
        process.wait()


def _wait(socket: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while not socket.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.02)
