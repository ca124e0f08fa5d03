"""The connections: limits, transactions that are repeated after a deadlock, errors in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from typing import Any, LiteralString, TypeAlias, TypeVar, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from encoder import errors
from encoder.metrics import database
from encoder.metrics.family import timed
from encoder.store.engine import ACQUIRE_S, AGE_S, Row
from encoder.store.postgres.sql import TEXTS
from encoder.store.repeated import repeated
from encoder.store.statements import Statement

T = TypeVar("T")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"  # generic in the stubs alone
Pooled: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

CONNECT_S = 5.0
STATEMENT_S = 10.0
GIVE_UP_S = 1.0
CLOSE_S = 2.0  # for what is still asked when the process ends

_KEPT_STATEMENTS = 100  # asyncpg's own number

SESSION = {
    "application_name": "encoder",
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "10s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "30s",
    # every statement is made for one plan: nested loops over the index that its file names. Left to choose, the planner
    # keeps a plan that it made for an empty table, and a claim then walks a backlog of a million rows
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",  # compiling costs more than our short statements
    # and that plan is kept: a LIMIT that is known looks cheaper than one that is not, so each claim was planned anew
    "plan_cache_mode": "force_generic_plan",
}

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # closed under our hands
    asyncpg.OperatorInterventionError,  # shut down, terminated, starting up, cancelled by a time limit
    asyncpg.PostgresSystemError,  # its disk fails
    asyncpg.InternalServerError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,  # too many clients, out of memory, disk full
    asyncpg.ReadOnlySQLTransactionError,  # a standby, or a disk that went read-only
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,  # 42501: a grant is missing
    OSError,
    TimeoutError,
)
# who says so will say so again: a primary that is one no more, or that stops. What it ends comes back elsewhere
_DOUBTFUL = (
    asyncpg.ReadOnlySQLTransactionError,  # 25006
    asyncpg.AdminShutdownError,  # 57P01
    asyncpg.CrashShutdownError,  # 57P02
    asyncpg.CannotConnectNowError,  # 57P03
    asyncpg.PostgresConnectionError,  # 08xxx
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_MISLAID = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
_RIVALS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_TOO_SLOW = (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)


@contextmanager
def translated() -> Iterator[None]:
    """Say in our words that the database is away or too slow.

    Raises:
        errors.StoreUnavailable: what was asked may or may not have happened.
    """
    try:
        yield
    except _MISLAID as error:
        database.errors.of("other").inc()
        told = f"{type(error).__name__}: a pooler loses prepared statements of ours (docs/operate/databases.md)"
        raise errors.StoreUnavailable(told) from error
    except (*_AWAY, *_RIVALS) as error:
        database.errors.of(_class_of(error)).inc()
        raise errors.StoreUnavailable(f"{type(error).__name__}: {error}") from error


def _class_of(error: Exception) -> str:
    """The label of what went wrong."""
    if isinstance(error, _RIVALS):
        return "rival"
    return "timeout" if isinstance(error, _TOO_SLOW) else "away"


async def connect(dsn: str, **session: str) -> Connection:
    """A connection outside the pool, with the same limits.

    Raises:
        errors.Unfit: `dsn` is none, or what answers there does not know the settings of our sessions.
    """
    return await _connect(dsn, SESSION | session, kept_statements=_KEPT_STATEMENTS, statement_s=STATEMENT_S)


async def connect_patiently(dsn: str) -> Connection:
    """As `connect`, for work that takes as long as it takes: neither we nor the server cut it off. Raises as it."""
    limits = {"statement_timeout": "0", "lock_timeout": "0"}
    return await _connect(dsn, SESSION | limits, kept_statements=_KEPT_STATEMENTS, statement_s=None)


async def connect_plainly(dsn: str) -> Connection:
    """As `connect`, with nothing prepared that must be there in the next transaction. Raises as `connect`."""
    return await _connect(dsn, SESSION, kept_statements=0, statement_s=STATEMENT_S)


async def _connect(dsn: str, session: dict[str, str], *, kept_statements: int, statement_s: float | None) -> Connection:
    try:
        return await asyncpg.connect(
            dsn,
            timeout=CONNECT_S,
            command_timeout=statement_s,
            statement_cache_size=kept_statements,
            server_settings=session,
        )
    except (asyncpg.UndefinedObjectError, asyncpg.ProtocolViolationError) as error:
        if "parameter" not in str(error):  # poolers say all that is wrong with that code
            raise
        told = f"What ENCODER_DATABASE_URL or ENCODER_LISTEN_URL names refuses the settings of our sessions ({error}):"
        raise errors.Unfit(f"{told} the server is too old, or the pooler needs docs/operate/databases.md.") from None
    except (ValueError, asyncpg.ClientConfigurationError):  # asyncpg's own words may hold parts of a password
        told = "ENCODER_DATABASE_URL or ENCODER_LISTEN_URL is no address of a PostgreSQL database."
        raise errors.Unfit(told) from None


async def _keep_session(_connection: object) -> None:
    """We leave nothing in a session, so there is nothing to reset: one round trip less per use."""


class _Dated(asyncpg.Connection):
    """Knows its age: behind a name that leads elsewhere after a failover, an old connection leads to the old place."""

    def __init__(self, *how: Any, **more: Any) -> None:  # noqa: ANN401  # handed through
        super().__init__(*how, **more)
        self._made_at = monotonic()

    @property
    def is_old(self) -> bool:
        return monotonic() - self._made_at >= AGE_S


class Session:
    """A connection that somebody has just now. `connection`: for what is no statement of the verbs."""

    def __init__(self, connection: Pooled) -> None:
        self.connection = connection

    async def ask(self, text: LiteralString, *values: object) -> Sequence[Row]:
        """As `fetch`, for what is no statement of the verbs."""
        return await self.connection.fetch(text, *values)

    async def fetch(self, statement: Statement, *values: object) -> Sequence[Row]:
        return await self.connection.fetch(TEXTS[statement], *values)

    async def fetchrow(self, statement: Statement, *values: object) -> Row | None:
        return await self.connection.fetchrow(TEXTS[statement], *values)

    async def execute(self, statement: Statement, *values: object) -> None:
        await self.connection.execute(TEXTS[statement], *values)


class Pool:
    """The connections of one process."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], *, size: int) -> None:
        self._pool = pool
        # by turns: whom asyncpg wakes may find that a newcomer was faster, and then stands behind everybody
        self._room = asyncio.Semaphore(size)
        self._releasing: set[asyncio.Future[None]] = set()
        database.begin(size, free=pool.get_idle_size, busy=lambda: pool.get_size() - pool.get_idle_size())

    @classmethod
    async def open(cls, dsn: str, *, size: int) -> Pool:
        with translated():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,  # else it tries for ever to keep one up, and logs each failure
                max_size=size,
                timeout=CONNECT_S,
                command_timeout=STATEMENT_S,
                server_settings=SESSION,
                connection_class=_Dated,
                reset=_keep_session,
            )
        return cls(pool, size=size)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def ask(self, text: LiteralString, *values: object) -> Sequence[Row]:
        """As `rows`, for what is no statement of the verbs."""

        async def run(connection: Pooled) -> Sequence[Row]:
            return await connection.fetch(text, *values)

        return await self._repeated(run)

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        return await self.ask(TEXTS[statement], *values)

    async def search(self, statement: Statement, *values: object, most_s: float | None = None) -> Sequence[Row]:
        async def work(session: Session) -> Sequence[Row]:
            prepared = await session.connection.prepare(TEXTS[statement])
            if most_s is not None:
                await session.connection.execute(f"SET LOCAL statement_timeout = {round(most_s * 1000)}")
            return await prepared.fetch(*values)

        try:
            return await self._transaction(work, begin="BEGIN; SET LOCAL plan_cache_mode = force_custom_plan")
        except errors.StoreUnavailable as error:
            if most_s is not None and isinstance(error.__cause__, asyncpg.QueryCanceledError):
                raise errors.TooLong(str(error)) from error
            raise

    async def row(self, statement: Statement, *values: object) -> Row | None:
        return next(iter(await self.rows(statement, *values)), None)

    async def visit(self, work: Callable[[Session], Awaitable[T]]) -> T:
        async def run(connection: Pooled) -> T:
            return await work(Session(connection))

        return await self._repeated(run)

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        return await self._transaction(work, begin="BEGIN")

    async def _transaction(self, work: Callable[[Session], Awaitable[T]], *, begin: str) -> T:
        async def run(connection: Pooled) -> T:
            await connection.execute(begin)
            try:
                result = await work(Session(connection))
            except TimeoutError:
                raise  # the connection is given up: the server rolls back
            except Exception:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
            return result

        return await self._repeated(run)

    async def _repeated(self, run: Callable[[Pooled], Awaitable[T]]) -> T:
        async def once() -> T:
            with translated():
                async with self._connection() as connection:
                    return await run(connection)

        return await repeated(once, lost=lambda error: isinstance(error.__cause__, _RIVALS))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Pooled]:
        with timed(database.wait_seconds.of().observe):
            try:
                async with asyncio.timeout(ACQUIRE_S):  # asyncpg's own time-out costs a task, 50 µs of every statement
                    connection = await self._acquired()
            except TimeoutError as error:
                database.errors.of("timeout").inc()
                raise errors.StoreBusy(f"no connection could be had for {ACQUIRE_S:.0f} s") from error
        try:
            yield connection
        except (asyncio.CancelledError, TimeoutError, *_DOUBTFUL):
            await give_up(connection)
            raise
        else:
            if cast("_Dated", connection).is_old:
                await give_up(connection)
        finally:
            self._release(connection)

    async def _acquired(self) -> Pooled:
        await self._room.acquire()
        try:
            return await self._pool.acquire()
        except BaseException:
            self._room.release()
            raise

    def _release(self, connection: Pooled) -> None:
        """Give a connection back, after its caller has gone on: asyncpg takes two tasks for that."""

        def release() -> None:
            releasing = asyncio.ensure_future(self._pool.release(connection))
            self._releasing.add(releasing)
            releasing.add_done_callback(released)

        def released(releasing: asyncio.Future[None]) -> None:
            self._releasing.discard(releasing)
            self._room.release()

        asyncio.get_running_loop().call_soon(release)


async def give_up(connection: Pooled | Connection) -> None:
    """End a connection whose query was not waited for: its rows must never answer the next one.

    asyncpg has asked the server to stop the query; closing lets that request leave.
    """
    with suppress(Exception):
        await connection.close(timeout=GIVE_UP_S)
