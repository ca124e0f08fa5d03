"""The roles of a process: each opens what it needs, works until it is told to stop, and closes everything."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from encoder import errors
from encoder.api.app import create_app
from encoder.api.links import link
from encoder.api.server import serving
from encoder.dashboard import views
from encoder.doctor import Finding, examine
from encoder.embedded.home import Home
from encoder.embedded.postgres import Postgres
from encoder.log import LogFormat, configure, get_logger
from encoder.settings import Settings
from encoder.store.postgres import open_store
from encoder.store.protocol import Store
from encoder.vault import new_key
from encoder.wiring import Wiring
from encoder.worker.loop import Worker
from encoder.worker.together import together

log = get_logger(__name__)

RECONNECT_S = 1.0


async def run_up(
    settings: Settings, *, host: str | None, port: int | None, data: Path, workers: int, ready: Callable[[str], None]
) -> int:
    """Everything in one process, on a database of its own unless one is named. Ends at SIGTERM or SIGINT.

    `ready` is told the address once it answers.
    """
    home = Home(data)
    home.make()
    settings = _at_home(settings, home, host, port)
    _prepare(settings)
    async with AsyncExitStack() as stack:
        died: asyncio.Future[str] | None = None
        if settings.database_url is None:
            postgres = Postgres(home.postgres)
            dsn = await stack.enter_async_context(postgres.running())
            settings = settings.model_copy(update={"database_url": SecretStr(dsn)})
            died = asyncio.ensure_future(postgres.died())
        store = await stack.enter_async_context(_store(settings))
        return await _serve(Wiring(settings, store), api=True, workers=workers, died=died, ready=ready)


async def run_api(settings: Settings) -> int:
    """The API against a database."""
    _prepare(settings)
    async with _store(settings) as store:
        return await _serve(Wiring(settings, store), api=True, workers=0)


async def run_worker(settings: Settings) -> int:
    """A worker against a database."""
    _prepare(settings)
    async with _store(settings) as store:
        return await _serve(Wiring(settings, store), api=False, workers=1)


async def run_doctor(settings: Settings) -> list[Finding]:
    """What is wrong with this machine and these settings, and what to do about it."""
    configure(LogFormat(settings.log_format), "error")
    return await examine(settings)


async def run_migrate(settings: Settings) -> int:
    """Create or upgrade the tables, and end."""
    _prepare(settings)
    async with _store(settings):
        log.info("migrate.done")
    return 0


def _prepare(settings: Settings) -> None:
    """What every role does first. Until it listens to signals itself, SIGTERM cancels it: what is open is closed."""
    configure(LogFormat(settings.log_format), settings.log_level)
    starting = asyncio.current_task()
    if starting is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, starting.cancel)


def _at_home(settings: Settings, home: Home, host: str | None, port: int | None) -> Settings:
    """What was not set lies in the data folder."""
    update: dict[str, object] = {"host": host or settings.host, "port": settings.port if port is None else port}
    if update["port"] == 0:
        update["port"] = _free_port(str(update["host"]))
    if "storage" not in settings.model_fields_set:
        update["storage"] = f"file:{home.storage}"
    if settings.scratch_dir is None:
        update["scratch_dir"] = home.scratch
    if not settings.secret_keys:
        update["secret_keys"] = (SecretStr(home.secret_key(new_key)),)
    if not settings.webhook_secret:
        update["webhook_secret"] = (SecretStr(home.webhook_secret()),)
    return settings.model_copy(update=update)


def _free_port(host: str) -> int:
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return port


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """The database, its tables up to date; waited for as long as it is away."""
    if settings.database_url is None:
        raise errors.Unfit("ENCODER_DATABASE_URL is not set; only `encoder up` brings a database of its own.")
    listen = settings.listen_url.get_secret_value() if settings.listen_url else None
    while True:
        try:
            store = await open_store(settings.database_url.get_secret_value(), listen_dsn=listen)
            break
        except errors.StoreUnavailable as error:
            log.warning("database.away", reason=str(error))
            await asyncio.sleep(RECONNECT_S)
    try:
        yield store
    finally:
        await store.close()


async def _serve(
    wiring: Wiring,
    *,
    api: bool,
    workers: int,
    died: asyncio.Future[str] | None = None,
    ready: Callable[[str], None] = lambda _url: None,
) -> int:
    """Run the API and the workers until a signal: first the workers drain, then the API goes."""
    if api:
        _require_closed_or_loopback(wiring.settings)
    async with AsyncExitStack() as stack:
        scratch = wiring.scratch()
        await scratch.open()
        stack.push_async_callback(scratch.close)
        crew = [await wiring.worker(scratch) for _ in range(workers)]
        stop = _on_signals(crew)
        if api:
            parts = await wiring.parts(scratch)
            stack.callback(parts.stopping.set)
            app = create_app(parts, pages=views.routes(wiring.store, link=partial(link, parts)))
            await stack.enter_async_context(serving(app, host=wiring.settings.host, port=wiring.settings.port))
            log.info("api.listening", url=wiring.public_url)
            ready(wiring.public_url)
        async with together() as group:
            for worker in crew:
                group.create_task(worker.run(), name="worker")
            await _until(stop, died)
    return 0


def _on_signals(crew: Sequence[Worker]) -> asyncio.Event:
    """Set at the first SIGTERM or SIGINT; each of them is told to the workers."""
    stop = asyncio.Event()

    def told() -> None:
        stop.set()
        for worker in crew:
            worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    return stop


async def _until(stop: asyncio.Event, died: asyncio.Future[str] | None) -> None:
    """Wait for a signal.

    Raises:
        errors.StoreUnavailable: our own database died; nothing can be written any more.
    """
    stopped = asyncio.ensure_future(stop.wait())
    waits: set[asyncio.Future[Any]] = {stopped} if died is None else {stopped, died}
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if died is not None and died.done():
        stopped.cancel()
        raise errors.StoreUnavailable(f"PostgreSQL ended by itself: {died.result()}")


def _require_closed_or_loopback(settings: Settings) -> None:
    """An open server must not be reachable from other machines unless that was asked for.

    Raises:
        errors.Unfit: it would be.
    """
    if settings.auth == "none" or settings.host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise errors.Unfit(
            f"ENCODER_HOST={settings.host} is reachable from elsewhere, and there are no keys yet. "
            "Listen on 127.0.0.1, or set ENCODER_AUTH=none if whoever reaches it may use it."
        )
