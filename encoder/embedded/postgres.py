"""A private PostgreSQL in a folder, owned by one process of ours: started, watched and stopped with it.

    postgres/
      lock        held while a process of ours owns the folder; dies with that process
      password    the superuser's, 0600
      data/       the cluster; data/PG_VERSION names the only major version that opens it
      log         what the server says; the one before is log.1

A server that outlived its owner (kill -9) is found by `data/postmaster.pid` and stopped before the next starts.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode

from encoder import errors
from encoder.embedded import cluster, identity, postmaster, programs
from encoder.embedded.identity import Identity
from encoder.embedded.programs import Programs

_SOCKET_PATH_BYTES = 107  # Linux: sun_path without its NUL
_LOG_BYTES = 8 << 20
_POLL_S = 0.01


class Postgres:
    """The PostgreSQL of `folder`, made on first start. Unix socket only, unless `port` (0: any) is given.

    `settings` go to the server's command line.
    """

    def __init__(self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._port = port
        self._settings = dict(settings or {})
        self._lock: IO[str] | None = None
        self._server: Process | None = None
        self._sockets = self._folder

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """The address of the server, which stops at the end of the block."""
        dsn = await self.start()
        try:
            yield dsn
        finally:
            await self.stop()

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[str]:
        """The address of the server that another process of ours runs in the folder, else as `running`."""
        there = postmaster.read(self._data)
        if there is not None and there.status == "ready" and there.serves(self._data):
            yield self._address(Path(there.sockets))
            return
        async with self.running() as dsn:
            yield dsn

    async def start(self, *, limit_s: float = 60.0) -> str:
        """Start, and wait until it takes connections; its address.

        Raises:
            errors.StoreUnavailable: no binaries, the folder belongs to a running process, or it did not come up.
        """
        self._lock = await asyncio.to_thread(cluster.own, self._folder)
        try:
            async with asyncio.timeout(limit_s):
                return await self._start()
        except TimeoutError as error:
            await self.stop()
            raise errors.StoreUnavailable(f"PostgreSQL did not start in {limit_s:.0f} s:\n{self._said()}") from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Fast stop: transactions are rolled back, nothing committed is lost. Harmless when it does not run."""
        if self._server is not None:
            await _stop(self._server)
            self._server = None
        if self._sockets != self._folder:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = self._folder
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def died(self) -> str:
        """Wait until the server ends without being asked to; its last words."""
        if self._server is None:
            raise errors.Defect("watching a server that was not started")
        await self._server.wait()
        return self._said()

    async def _start(self) -> str:
        await postmaster.stop_leftover(self._data)
        found = await asyncio.to_thread(programs.find, cluster.major(self._data))
        runs_as = identity.choose(self._folder, reads=(found.postgres,))
        runs_as.own(self._folder)
        if not self._data.exists():
            await asyncio.to_thread(cluster.create, self._folder, found, runs_as)
        self._sockets = _socket_folder(self._folder, runs_as)
        if self._port == 0:
            self._port = _free_port()
        while not await self._came_up(found, runs_as):
            # backends of a postmaster that was killed still hold its shared memory: they leave within moments
            if "is still in use" not in self._said():
                raise errors.StoreUnavailable(f"PostgreSQL did not start:\n{self._said()}")
            await asyncio.sleep(10 * _POLL_S)
        return self._address(self._sockets)

    async def _came_up(self, found: Programs, runs_as: Identity) -> bool:
        self._server = server = await self._launch(found, runs_as)
        while server.returncode is None:
            if postmaster.ready(self._data, server.pid):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _launch(self, found: Programs, runs_as: Identity) -> Process:
        settings = {
            "listen_addresses": "" if self._port is None else "127.0.0.1",
            "port": str(self._port or 5432),  # without TCP it is only the name of the socket
            "unix_socket_directories": str(self._sockets),
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with _log(self._folder) as log:
            return await asyncio.create_subprocess_exec(
                *runs_as.prefix, found.postgres, "-D", self._data, *options,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd="/", start_new_session=True,  # Ctrl-C is for us: we stop it in our own order
                **runs_as.drop,  # type: ignore[arg-type]  # user, group, extra_groups
            )  # fmt: skip

    def _address(self, sockets: Path) -> str:
        password = (self._folder / "password").read_text(encoding="ascii").strip()
        login = f"postgresql://{cluster.USER}:{password}@"
        if self._port is not None:
            return f"{login}127.0.0.1:{self._port}/{cluster.DATABASE}"
        return f"{login}/{cluster.DATABASE}?{urlencode({'host': sockets}, quote_via=quote)}"

    def _said(self) -> str:
        try:
            lines = (self._folder / "log").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(it said nothing)"
        return "\n".join(lines[-10:])


def _socket_folder(folder: Path, runs_as: Identity) -> Path:
    """The folder itself, or a short one where the socket's path would be too long for the kernel."""
    if len(os.fsencode(folder / ".s.PGSQL.65535")) <= _SOCKET_PATH_BYTES:
        return folder
    short = Path(tempfile.mkdtemp(prefix=postmaster.SHORT_SOCKETS))
    runs_as.own(short)
    return short


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _log(folder: Path) -> IO[bytes]:
    log = folder / "log"
    with suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_BYTES:
            log.rename(folder / "log.1")
    return log.open("ab")


async def _stop(server: Process) -> None:
    for sign, patience_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
        if server.returncode is None:
            server.send_signal(sign)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await server.wait()
            return
    server.kill()
    await server.wait()
