"""The roles of a process: each opens what it needs, works until it is told to stop, and closes everything."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from aiobotocore.session import AioSession
from pydantic import SecretStr

from encoder import __version__, errors, signals, tracing
from encoder.api.app import create_app
from encoder.api.ingest_queue import QueueReader
from encoder.api.server import serving
from encoder.api.waiting import waiting
from encoder.batch.conversion import Outcome
from encoder.batch.ending import Ending
from encoder.batch.order import Order, Table
from encoder.batch.status import StatusAway, StatusBusy, opened
from encoder.dashboard.routes import routes
from encoder.doctor import Finding, examine
from encoder.embedded.home import Home
from encoder.embedded.postgres import Postgres
from encoder.log import LogFormat, configure, get_logger
from encoder.mend import after_restore
from encoder.model.ids import TenantId
from encoder.model.plan import Note
from encoder.model.state import JOB_ENDED
from encoder.queue.arrive import Arrivals
from encoder.queue.rewrap import Rewrapped, rewrap
from encoder.retention.rounds import FIRST_S, rounds
from encoder.retention.survey import Survey, survey
from encoder.retention.sweep import Report
from encoder.settings import Settings
from encoder.store.engines import check, open_store, upgrade
from encoder.store.protocol import Store
from encoder.store.rows import JobRow
from encoder.store.steps import Schema
from encoder.vault import Vault, new_key
from encoder.wiring import Machine, Wiring, uniform
from encoder.worker.deaths import take_over
from encoder.worker.depart import Departure
from encoder.worker.listener import listening
from encoder.worker.loop import Worker
from encoder.worker.together import together

T = TypeVar("T")

log = get_logger(__name__)

RECONNECT_S = 1.0
UNREADY_S = 5.0  # from the end of readiness to the end of listening; with 20 s for answers and 3 s to close: < 30 s
STOP_WITHIN_S = 9.0  # of a signal, whatever else is to be said: whoever runs containers kills them soon after
TELL_WITHIN_S = 15.0


async def run_up(
    settings: Settings, *, host: str | None, port: int | None, data: Path, workers: int, ready: Callable[[str], None]
) -> int:
    """Everything in one process, on a database of its own unless one is named. Ends at SIGTERM or SIGINT.

    `ready` is told the address once it answers.
    """
    home = Home(data)
    home.make()
    settings = _at_home(settings, home, host)
    async with AsyncExitStack() as stack:
        listener, settings = _bound(settings, port)
        stack.callback(listener.close)
        _prepare(settings, role="up", worker=workers > 0)
        await stack.enter_async_context(_traced(settings, role="up"))
        died: asyncio.Future[str] | None = None
        if settings.database_url is None:
            postgres = Postgres(home.postgres)
            dsn = await stack.enter_async_context(postgres.running())
            settings = settings.model_copy(update={"database_url": SecretStr(dsn)})
            died = asyncio.ensure_future(postgres.died())
        store = await stack.enter_async_context(_store(settings, listener))
        wiring = Wiring(settings, store)
        await stack.enter_async_context(_sweeping(wiring))
        return await _serve(wiring, listener, workers=workers, died=died, ready=ready)


async def run_api(settings: Settings) -> int:
    """The API against a database."""
    listener, settings = _bound(settings)
    with closing(listener):
        _prepare(settings, role="api", worker=False)
        async with _traced(settings, role="api"), _store(settings, listener) as store:
            return await _serve(Wiring(settings, store), listener, workers=0)


async def run_worker(settings: Settings, departure: Departure | None = None) -> int:
    """A worker against a database, until it is told to end, or leaves by itself."""
    async with AsyncExitStack() as stack:
        metrics = stack.enter_context(_metrics(settings))
        _prepare(settings, role="worker", worker=True)
        await stack.enter_async_context(_traced(settings, role="worker"))
        wiring = Wiring(settings, await stack.enter_async_context(_store(settings, metrics)))
        return await _serve(wiring, None, workers=1, probes=metrics, departure=departure)


async def run_batch(settings: Settings, order: Order, *, bail: Callable[[], None]) -> Outcome:
    """One job by the environment of a batch, to its end or until a signal; no database of ours is asked.

    `bail` is called when that takes longer after a signal than there is time: it must end the process.

    Raises:
        errors.Unfit: the settings cannot work, or no client of DynamoDB can be made of the environment.
    """
    settings = settings.model_copy(update={"worker_slots": 1})
    _begin(settings, role="convert")
    machine = Machine(settings)
    scratch = machine.scratch()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_traced(settings, role="convert"))
        session = machine.surroundings.s3.session
        status = await stack.enter_async_context(opened(session, order.table))
        await scratch.open()
        stack.push_async_callback(scratch.close)
        conversion = machine.conversion(order, status, scratch)

        def told(_number: int) -> None:
            conversion.stop()
            asyncio.get_running_loop().call_later(STOP_WITHIN_S, bail)

        signals.at(told, *signals.ENDING)
        return await conversion.run()


async def run_job(settings: Settings, ref: str, tenant_id: TenantId) -> JobRow | None:
    """One job of the database, by a worker of its own that ends with it: what the job is then; None: there is none.

    Raises:
        errors.StoreUnavailable: the database is away; whoever started us does so again.
    """
    _begin(settings, role="convert")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_traced(settings, role="convert"))
        listen = settings.listen_url.get_secret_value() if settings.listen_url else None
        store = await open_store(_address(settings), listen_dsn=listen, auto_migrate=settings.auto_migrate)
        stack.push_async_callback(store.close)
        job = await store.job(tenant_id, ref)
        if job is None or job.state in JOB_ENDED:
            return job
        queue = job.task_queue or job.spec.queue
        update = {"worker_slots": 1, "worker_queues": (queue,), "drain_seconds": 0.0}
        wiring = Wiring(settings.model_copy(update=update), store)
        wiring.require(worker=True)
        scratch = wiring.scratch()
        await scratch.open()
        stack.push_async_callback(scratch.close)
        await take_over(store, scratch)
        worker = await wiring.worker(scratch, wiring.budget(scratch))
        worker.only(job.id)
        signals.leaving([worker.stop])
        async with together() as group:
            watching = group.create_task(_watch(worker, store, job, patience_s=3 * settings.lease_seconds))
            await worker.run()
            watching.cancel()
        return await store.job(tenant_id, ref)


async def _watch(worker: Worker, store: Store, job: JobRow, *, patience_s: float) -> None:
    """Stop waiting for a job that somebody else ends, or holds for longer than a dead one's lease lasts."""
    while worker.idle_s < patience_s:
        await asyncio.sleep(RECONNECT_S)
        try:
            now = await store.job(job.tenant_id, str(job.id))
        except errors.StoreUnavailable:
            continue
        if now is None or now.state in JOB_ENDED:
            break
    worker.stop()


async def tell_unusable(table: Table, ending: Ending) -> None:
    """An order that cannot be carried out is told where its status is kept, if that can be reached."""
    try:
        async with asyncio.timeout(TELL_WITHIN_S), opened(AioSession(), table) as status:
            await status.fail(ending)
    except (StatusAway, StatusBusy, TimeoutError, errors.Unfit) as error:
        log.warning("status.not_told", reason=str(error) or "timeout")


async def run_doctor(settings: Settings, *, data: Path) -> list[Finding]:
    """What is wrong with this machine and these settings, and what to do about it. `data`: as in `on_store`."""
    configure(LogFormat(settings.log_format), "error")
    home = Home(data)
    if settings.database_url is not None or not home.postgres.exists():
        return await examine(settings)
    async with Postgres(home.postgres).reached() as dsn:
        at_home = _at_home(settings, home, None)
        return await examine(at_home.model_copy(update={"database_url": SecretStr(dsn)}))


async def run_retention(
    settings: Settings,
    *,
    data: Path,
    most_s: float | None,
    every_s: float | None,
    told: Callable[[Report], None] | None,
) -> Report | None:
    """Clear away what has had its time: once, for `most_s` at most; or every so often, until SIGTERM or SIGINT.

    `told` hears of each sweep, and prints it: what is logged goes to standard error then. The last one comes back, if
    it ended by itself. `data`: as in `on_store`.
    """
    configure(LogFormat(settings.log_format), settings.log_level, role="retention", prints=told is not None)
    signals.cancel(*signals.ENDING)
    settings = _with_home(settings, data)
    hear = told or (lambda _report: None)

    async def once(store: Store) -> Report:
        report = await Machine(settings).sweep(store).run(most_s=most_s)
        hear(report)
        return report

    if every_s is None:
        return await _on_opened(settings, once, data)
    with suppress(asyncio.CancelledError):
        async with _reached(settings, data) as dsn:
            named = settings.model_copy(update={"database_url": SecretStr(dsn)})
            async with _store(named, None) as store:  # waited for, as by all who stay
                await rounds(Machine(named).sweep(store), every_s=every_s, most_s=most_s, told=hear)
    return None


async def run_survey(settings: Settings, *, data: Path) -> Survey:
    """What a sweep would remove; nothing is changed. `data`: as in `on_store`."""
    configure(LogFormat(settings.log_format), "error")
    settings = _with_home(settings, data)
    return await _on_opened(settings, lambda store: survey(Machine(settings).sweep(store)), data)


async def run_migrate(settings: Settings) -> int:
    """Create or upgrade the tables, and end. A database that is away is an error: a deployment waits for this."""
    configure(LogFormat(settings.log_format), settings.log_level, role="migrate")
    version = await upgrade(_address(settings))
    log.info("migrate.done", schema=version)
    return 0


async def run_migrate_check(settings: Settings) -> Schema:
    """The schema of the database beside the one of this program; nothing is changed."""
    configure(LogFormat(settings.log_format), settings.log_level)
    return await check(_address(settings))


async def run_after_restore(settings: Settings, *, data: Path) -> list[Finding]:
    """Make a database that was brought back to a moment before fit for roles, and look for what the storage lacks.

    `data`: as in `on_store`.
    """
    configure(LogFormat(settings.log_format), "error")
    async with _reached(settings, data) as dsn:
        return await after_restore(
            _at_home(settings, Home(data), None) if settings.database_url is None else settings, dsn
        )


async def on_store(settings: Settings, body: Callable[[Store], Awaitable[T]], *, data: Path | None = None) -> T:
    """What an operator does on the database itself: opened for `body`, and closed.

    `data`: the folder of `encoder up`, whose own database it is where none is named.
    """
    configure(LogFormat(settings.log_format), "error")
    return await _on_opened(settings, body, data)


async def _on_opened(settings: Settings, body: Callable[[Store], Awaitable[T]], data: Path | None) -> T:
    """As `on_store`, whatever is logged."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(_reached(settings, data))
        store = await open_store(dsn, auto_migrate=settings.auto_migrate)
        stack.push_async_callback(store.close)
        return await body(store)


@asynccontextmanager
async def _reached(settings: Settings, data: Path | None) -> AsyncIterator[str]:
    """The address of the database that is named, else of the one in `data`."""
    at_home = None if data is None else Home(data).postgres
    if settings.database_url is None and at_home is not None and at_home.exists():
        async with Postgres(at_home).reached() as dsn:
            yield dsn
    else:
        yield _address(settings)


async def run_rewrap(settings: Settings, *, data: Path) -> Rewrapped:
    """All that is sealed in the database is wrapped anew by the first key. `data`: as in `on_store`."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    if not keys:
        old = Home(data).folder / "secret-key"
        raise errors.Unfit(f"ENCODER_SECRET_KEYS is not set: name the new key, then the old one (`encoder up`: {old}).")
    vault = Vault(keys)
    return await on_store(settings, lambda store: rewrap(store, vault), data=data)


def _prepare(settings: Settings, *, role: str, worker: bool) -> None:
    """What every role with a database does first."""
    _begin(settings, role=role)
    Machine(settings).require(worker=worker)


def _begin(settings: Settings, *, role: str) -> None:
    """What every role does first. Until it listens to signals itself, SIGTERM cancels it: what is open is closed."""
    configure(LogFormat(settings.log_format), settings.log_level, role=role)
    if names := settings.misnamed:
        log.warning("settings.unknown", names=names)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))  # a dump of our memory would hold keys and callers' secrets
    gc.freeze()  # what was loaded stays: looked through again and again, it would halt the loop for 50 ms each time
    signals.cancel(signal.SIGTERM)


def _with_home(settings: Settings, data: Path) -> Settings:
    """With the storage of `encoder up`, where it is its database that is meant."""
    home = Home(data)
    if settings.database_url is not None or "storage" in settings.model_fields_set or not home.postgres.exists():
        return settings
    return settings.model_copy(update={"storage": f"file:{home.storage}"})


@asynccontextmanager
async def _traced(settings: Settings, *, role: str) -> AsyncIterator[None]:
    """Tell spans where that is asked for; what is left of them is sent off at the end.

    Raises:
        errors.Unfit: the extra is not installed.
    """
    if settings.traces == "off":
        yield
        return
    try:
        from encoder.otel import Otel  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise errors.Unfit(
            "ENCODER_TRACES is `otlp`: run `pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http`."
        ) from error
    otel = Otel.of_process(role=role, version=__version__, host=socket.gethostname())
    tracing.tell(otel)
    try:
        yield
    finally:
        tracing.tell(None)
        await asyncio.to_thread(otel.close)


def _at_home(settings: Settings, home: Home, host: str | None) -> Settings:
    """What was not set lies in the data folder."""
    update: dict[str, object] = {"host": host or settings.host}
    if "storage" not in settings.model_fields_set:
        update["storage"] = f"file:{home.storage}"
    if settings.scratch_dir is None:
        update["scratch_dir"] = home.scratch
    if not settings.secret_keys:
        update["secret_keys"] = (SecretStr(home.secret_key(new_key)),)
    if not settings.webhook_secret:
        update["webhook_secret"] = (SecretStr(home.webhook_secret()),)
    return settings.model_copy(update=update)


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


def _address(settings: Settings) -> str:
    if settings.database_url is None:
        raise errors.Unfit("ENCODER_DATABASE_URL is not set; only `encoder up` brings a database of its own.")
    return settings.database_url.get_secret_value()


@asynccontextmanager
async def _store(settings: Settings, door: socket.socket | None) -> AsyncIterator[Store]:
    """The database, its tables up to date; waited for as long as it is away, or not for us to bring up to date.

    `door`: where the role answers later, and says meanwhile that it lives and what it waits for.
    """
    store = await _opened(settings, door)
    try:
        yield store
    finally:
        await store.close()


async def _opened(settings: Settings, door: socket.socket | None) -> Store:
    dsn = _address(settings)
    listen = settings.listen_url.get_secret_value() if settings.listen_url else None
    reasons: list[Note] = []
    async with AsyncExitStack() as meanwhile:
        while True:
            try:
                return await open_store(dsn, listen_dsn=listen, auto_migrate=settings.auto_migrate)
            except errors.StoreUnavailable as error:
                log.warning("database.away", reason=str(error))
                reasons[:] = [_why(error)]
            if door is not None:
                await meanwhile.enter_async_context(waiting(door, reasons))
                door = None
            await asyncio.sleep(RECONNECT_S)


def _why(error: errors.StoreUnavailable) -> Note:
    """For whoever may ask: no more than that, for an address or a name may stand in what the driver says."""
    if isinstance(error, errors.SchemaUnfit):
        return Note(code="schema_unfit", message=f"The database has {error}.")
    return Note(code="database_unavailable", message="The database does not answer.")


async def _serve(
    wiring: Wiring,
    listener: socket.socket | None,
    *,
    workers: int,
    probes: socket.socket | None = None,
    died: asyncio.Future[str] | None = None,
    ready: Callable[[str], None] = lambda _url: None,
    departure: Departure | None = None,
) -> int:
    """Run the API and the workers until a signal: first the workers drain, then the API goes.

    `probes`: where a worker without an API answers them.
    """
    if listener is not None:
        await _require_key(wiring)
    async with AsyncExitStack() as stack:
        scratch = wiring.scratch()
        await scratch.open()
        stack.push_async_callback(scratch.close)
        await take_over(wiring.store, scratch)
        budget = wiring.budget(scratch)
        await wiring.tell_what_it_is()
        crew = [await wiring.worker(scratch, budget) for _ in range(workers)]
        leave = signals.leaving([worker.stop for worker in crew])
        fitness = wiring.fitness(scratch, crew, stopping=leave.asked)  # not ready from the first signal on
        if probes is not None:
            await stack.enter_async_context(listening(probes, fitness))
        arrivals: list[Arrivals] = []
        readers: list[QueueReader] = []
        if listener is not None:
            parts = await wiring.parts(scratch, fitness)
            app = create_app(parts, pages=routes(parts, signer=wiring.signer(b"sessions")))
            await stack.enter_async_context(serving(app, listener))
            arrivals.append(parts.arrivals)
            readers = wiring.readers(parts)
            log.info("api.listening", url=wiring.public_url)
            ready(wiring.public_url)
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
            if listener is not None:
                await leave.told(UNREADY_S)
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_IGN)  # all is given back: a signal now must not turn success into a death
    return 0


@asynccontextmanager
async def _sweeping(wiring: Wiring) -> AsyncIterator[None]:
    """Retention beside the other roles, meanwhile."""
    sweeping = asyncio.create_task(rounds(wiring.sweep(wiring.store), first_s=FIRST_S), name="retention")
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


async def _require_key(wiring: Wiring) -> None:
    """A server that others reach asks for keys, so that there must be one, unless that was asked for.

    Raises:
        errors.Unfit: there is none.
    """
    settings = wiring.settings
    if not wiring.asks_for_keys or settings.auth == "keys":
        return
    if not any(key.live for key in await wiring.store.keys()):
        raise errors.Unfit(
            f"ENCODER_HOST={settings.host} is reachable from elsewhere, and nobody has a key. "
            "Make one (`encoder keys create NAME`), listen on 127.0.0.1, or set ENCODER_AUTH=none if whoever reaches "
            "it may use it."
        )
