"""Hears hints on a connection of its own, and knows when it has gone deaf."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from math import inf
from time import monotonic
from typing import LiteralString

from encoder import errors
from encoder.log import get_logger
from encoder.metrics import queue
from encoder.metrics.family import timed
from encoder.store.engine import Row
from encoder.store.news import WATCHED
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Connection, connect, connect_plainly, give_up, translated

log = get_logger(__name__)

CHANNEL = "encoder"
NEWS_CHANNEL = "encoder_news"  # of jobs: its hints wake nobody who waits for work
NONCE = "nonce:"  # begins what an ear says to itself, and others pass over

FIRST_TEST_S = 2.0  # for the first round trip
PING_EVERY_S = 10.0
PING_S = 5.0
IDLE_POLL_S = 5.0
AWAKE_S = 0.1  # after a hint
PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)  # between attempts to connect

KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}


class Ear:
    """A half-open connection hears nothing for ever: so each ping is a hint to itself that must come back.

    `said_at`: where hints are said, else at `dsn` too. So is the first ping, on another connection, for through
    a pooler that gives sessions away between transactions an ear hears itself alone.

    `on_watched`: whom to tell that somebody watches jobs.

    For a moment after a hint its session is awake, and surely alive: who claims then asks here (ADR 20).
    """

    def __init__(
        self,
        dsn: str,
        *,
        said_at: str | None = None,
        channel: str = CHANNEL,
        on_watched: Callable[[], None] = lambda: None,
        ping_every_s: float = PING_EVERY_S,
        ping_s: float = PING_S,
    ) -> None:
        self._dsn = dsn
        self._channel = channel
        self._on_watched = on_watched
        self._said_at = said_at or dsn
        self._ping_every_s = ping_every_s
        self._ping_s = ping_s
        self._healthy = False
        self._nonce = ""
        self._came_back = asyncio.Event()
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()  # a connection answers one question at a time
        self._heard_at = -inf

    async def ask(self, text: LiteralString, *values: object) -> Sequence[Row] | None:
        """The rows of one statement, tried once; None, and nothing was asked, where the session is asleep or busy.

        Raises:
            errors.StoreUnavailable: what was asked may or may not have happened.
        """
        connection = self._connection
        if connection is None or connection.is_closed() or not self._awake or self._turn.locked():
            return None
        async with self._turn:
            with translated():
                try:
                    return await connection.fetch(text, *values)
                except (asyncio.CancelledError, TimeoutError):
                    await give_up(connection)
                    raise

    @property
    def _awake(self) -> bool:
        return monotonic() - self._heard_at < AWAKE_S

    @property
    def healthy(self) -> bool:
        return self._healthy

    @property
    def idle_poll_s(self) -> float:
        return IDLE_POLL_S

    async def listen(self, heard: Callable[[str], None]) -> None:
        failures = 0
        while True:
            try:
                async with self._listening(heard) as connection:
                    await self._ping_from_elsewhere()
                    failures = 0
                    heard("reconnected")
                    await self._keep(connection)
            except (errors.StoreUnavailable, errors.Unfit) as error:  # work goes on without hints
                log.warning("ear.deaf", reason=str(error), note="polling only until hints come through again")
            finally:
                self._healthy = False
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
            failures += 1

    @asynccontextmanager
    async def _listening(self, heard: Callable[[str], None]) -> AsyncIterator[Connection]:
        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if payload == self._nonce:
                self._came_back.set()
            elif payload == WATCHED:
                self._on_watched()
            elif not str(payload).startswith(NONCE):
                self._heard_at = monotonic()
                heard(str(payload))

        with translated():
            connection = await connect(self._dsn, application_name="encoder ear", **KEEPALIVE)
            try:
                await connection.add_listener(self._channel, hear)
                self._connection = connection
                yield connection
            finally:
                self._connection = None
                async with self._turn:  # what was asked is answered first
                    connection.terminate()

    async def _keep(self, connection: Connection) -> None:
        """Ping for ever; an end that the server tells of is not waited for."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        while not connection.is_closed():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ping_every_s):
                    await ended.wait()
            async with self._turn:
                await self._ping(connection, self._ping_s)

    async def _ping_from_elsewhere(self) -> None:
        connection = await connect_plainly(self._said_at)
        try:
            await self._ping(connection, FIRST_TEST_S)
        finally:
            connection.terminate()

    async def _ping(self, connection: Connection, limit_s: float) -> None:
        """A hint from ourselves to ourselves."""
        self._nonce = f"{NONCE}{secrets.token_hex(8)}"
        self._came_back.clear()
        with timed(queue.round_trip.of().observe):
            async with asyncio.timeout(limit_s):
                await connection.execute(sql.HINT, self._channel, [self._nonce])
                await self._came_back.wait()
        self._healthy = True
