"""Those who stay: each opens what it needs, works until it is told to stop, and closes everything."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from encoder import errors, signals
from encoder.api.app import create_app
from encoder.api.ingest_queue import QueueReader
from encoder.api.server import serving
from encoder.dashboard.routes import routes
from encoder.embedded.home import Home
from encoder.embedded.postgres import Postgres
from encoder.log import get_logger
from encoder.queue.arrive import Arrivals
from encoder.queue.fitness import Fitness
from encoder.retention.rounds import FIRST_S, rounds
from encoder.roles import reach, start
from encoder.settings import Settings
from encoder.store.protocol import Store
from encoder.wiring.api import new_parts, new_readers
from encoder.wiring.machine import Machine
from encoder.wiring.site import uniform
from encoder.wiring.worker import new_worker
from encoder.worker.deaths import take_over
from encoder.worker.depart import Departure
from encoder.worker.listener import listening
from encoder.worker.together import together

log = get_logger(__name__)

UNREADY_S = 5.0  # from the end of readiness to the end of listening; with 20 s for answers and 3 s to close: < 30 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The sockets of a process. `probes`: where a worker without an API answers them."""

    api: socket.socket | None = None
    probes: socket.socket | None = None


async def run_up(
    settings: Settings, *, host: str | None, port: int | None, data: Path, workers: int, ready: Callable[[str], None]
) -> int:
    """Everything in one process, on a database of its own unless one is named. Ends at SIGTERM or SIGINT.

    `ready` is told the address once it answers.
    """
    home = Home(data)
    home.make()
    settings = reach.at_home(settings, home, host)
    async with AsyncExitStack() as stack:
        listener, settings = _bound(settings, port)
        stack.callback(listener.close)
        start.prepare(settings, role="up", worker=workers > 0)
        await stack.enter_async_context(start.traced(settings, role="up"))
        died: asyncio.Future[str] | None = None
        if settings.database_url is None:
            postgres = Postgres(home.postgres)
            dsn = await stack.enter_async_context(postgres.running())
            settings = settings.model_copy(update={"database_url": SecretStr(dsn)})
            died = asyncio.ensure_future(postgres.died())
        store = await stack.enter_async_context(reach.awaited(settings, listener))
        machine = Machine(settings)
        await stack.enter_async_context(_sweeping(machine, store))
        return await _serve(machine, store, Doors(api=listener), workers=workers, died=died, ready=ready)


async def run_api(settings: Settings) -> int:
    """The API against a database."""
    listener, settings = _bound(settings)
    with closing(listener):
        start.prepare(settings, role="api", worker=False)
        async with start.traced(settings, role="api"), reach.awaited(settings, listener) as store:
            return await _serve(Machine(settings), store, Doors(api=listener), workers=0)


async def run_worker(settings: Settings, departure: Departure | None = None) -> int:
    """A worker against a database, until it is told to end, or leaves by itself."""
    async with AsyncExitStack() as stack:
        metrics = stack.enter_context(_metrics(settings))
        start.prepare(settings, role="worker", worker=True)
        await stack.enter_async_context(start.traced(settings, role="worker"))
        store = await stack.enter_async_context(reach.awaited(settings, metrics))
        return await _serve(Machine(settings), store, Doors(probes=metrics), workers=1, departure=departure)


def _bound(settings: Settings, port: int | None = None) -> tuple[socket.socket, Settings]:
    """The API's socket, taken before anything else starts, and the settings with the port that it got.

    Raises:
        errors.Unfit: it is not to be had.
    """
    listener = _listener(settings.host, settings.port if port is None else port, setting="ENCODER_PORT")
    return listener, settings.model_copy(update={"port": listener.getsockname()[1]})


@contextmanager
def _metrics(settings: Settings) -> Iterator[socket.socket | None]:
    """The socket on which a worker tells its numbers, if it is to."""
    if settings.metrics_port is None:
        yield None
        return
    with closing(_listener(settings.host, settings.metrics_port, setting="ENCODER_METRICS_PORT")) as listener:
        yield listener


def _listener(host: str, port: int, *, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        told = f"{host} port {port} cannot be had ({error.strerror}); choose another with {setting}."
        raise errors.Unfit(told) from error


async def _serve(
    machine: Machine,
    store: Store,
    doors: Doors,
    *,
    workers: int,
    died: asyncio.Future[str] | None = None,
    ready: Callable[[str], None] = lambda _url: None,
    departure: Departure | None = None,
) -> int:
    """Run the API and the workers until a signal: first the workers drain, then the API goes."""
    if doors.api is not None:
        await _require_key(machine, store)
    async with AsyncExitStack() as stack:
        scratch = machine.scratch()
        await scratch.open()
        stack.push_async_callback(scratch.close)
        await take_over(store, scratch)
        budget = machine.budget(scratch)
        await machine.tell_what_it_is(schema=store.version)
        crew = [await new_worker(machine, store, scratch, budget) for _ in range(workers)]
        leave = signals.leaving([worker.stop for worker in crew])
        fitness = Fitness(
            store=store,
            stopping=leave.asked,  # not ready from the first signal on
            beats=lambda: all(worker.beats for worker in crew),
            has_room=scratch.has_room,
        )
        if doors.probes is not None:
            await stack.enter_async_context(listening(doors.probes, fitness))
        arrivals: list[Arrivals] = []
        readers: list[QueueReader] = []
        if doors.api is not None:
            parts = await new_parts(machine, store, scratch, fitness)
            app = create_app(parts, pages=routes(parts, signer=machine.signer(b"sessions")))
            await stack.enter_async_context(serving(app, doors.api))
            arrivals.append(parts.arrivals)
            readers = new_readers(machine, parts)
            log.info("api.listening", url=machine.public_url)
            ready(machine.public_url)
        async with together() as group:
            for worker in crew:
                group.create_task(worker.run(), name="worker")
            for reader in readers:
                group.create_task(reader.run(leave.asked), name="ingest")
            beside = [group.create_task(each.run(uniform=uniform), name="uploads") for each in arrivals]
            if departure is not None:
                beside += [group.create_task(departure.run(worker), name="departure") for worker in crew]
            await _until(leave.asked, died)
            for task in beside:
                task.cancel()
            if doors.api is not None:
                await leave.told(UNREADY_S)
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_IGN)  # all is given back: a signal now must not turn success into a death
    return 0


@asynccontextmanager
async def _sweeping(machine: Machine, store: Store) -> AsyncIterator[None]:
    """Retention beside the other roles, meanwhile."""
    sweeping = asyncio.create_task(rounds(machine.sweep(store), first_s=FIRST_S), name="retention")
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.wait({sweeping})


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


async def _require_key(machine: Machine, store: Store) -> None:
    """A server that others reach asks for keys, so that there must be one, unless that was asked for.

    Raises:
        errors.Unfit: there is none.
    """
    settings = machine.settings
    if not machine.asks_for_keys or settings.auth == "keys":
        return
    if not any(key.live for key in await store.keys()):
        raise errors.Unfit(
            f"ENCODER_HOST={settings.host} is reachable from elsewhere, and nobody has a key. "
            "Make one (`encoder keys create NAME`), listen on 127.0.0.1, or set ENCODER_AUTH=none if whoever reaches "
            "it may use it."
        )
