"""The database of a soak: a server of its own, on which a fleet may see it stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from encoder.embedded.postgres import Postgres
from tests.lab import mariadb


class Database(Protocol):
    async def start(self) -> str:
        """Its address, which stays."""

    async def stop(self, *, at_once: bool = False) -> None:
        """`at_once`: as a crash would; nothing that was committed is lost."""


class _Postgres:
    def __init__(self, folder: Path) -> None:
        self._server = Postgres(folder, port=0, settings={"fsync": "off"})

    async def start(self) -> str:
        return await self._server.start()

    async def stop(self, *, at_once: bool = False) -> None:
        if at_once and self._server._server is not None:
            self._server._server.send_signal(signal.SIGQUIT)
        await self._server.stop()


class _Mariadb:
    def __init__(self, folder: Path) -> None:
        self._server = mariadb.Process(folder, durable=True)

    async def start(self) -> str:
        await asyncio.to_thread(self._server.start)
        await mariadb.run(
            self._server.dsn, "CREATE DATABASE IF NOT EXISTS encoder CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        )
        return urlsplit(self._server.dsn)._replace(path="/encoder").geturl()

    async def stop(self, *, at_once: bool = False) -> None:
        await asyncio.to_thread(self._server.stop, at_once=at_once)


def made(name: str, folder: Path) -> Database:
    """The server of that name (`databases.BOTH`), in the new folder `folder`; it does not run yet."""
    kinds: dict[str, type[_Postgres | _Mariadb]] = {"postgres": _Postgres, "mariadb": _Mariadb}
    return kinds[name](folder)
