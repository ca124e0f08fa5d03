"""Hears hints: those of its own process at once; those of others by asking, often while things change."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from encoder import errors
from encoder.log import get_logger
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect, translated
from encoder.store.mysql.sql import query

log = get_logger(__name__)

BUSY_S = 0.1  # between two looks after something new; doubled while nothing comes
IDLE_S = 1.1
IDLE_POLL_S = 20.0  # of the claimers: what stands in line is told again and again
PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)  # between attempts to connect

_WAKE = query("wake")

Heard = Callable[[str], None]


class Mouth:
    """What one process tells itself."""

    def __init__(self) -> None:
        self._ears: list[Heard] = []

    def listens(self, heard: Heard) -> None:
        self._ears.append(heard)

    def leaves(self, heard: Heard) -> None:
        self._ears.remove(heard)

    async def say(self, hints: Sequence[str]) -> None:
        for heard in list(self._ears):
            for hint in hints:
                heard(hint)


class NewsEar:
    """Hears what this process does to jobs; of other processes it hears nothing, so that it is never `healthy`."""

    healthy = False
    idle_poll_s = IDLE_POLL_S

    def __init__(self, mouth: Mouth) -> None:
        self._mouth = mouth

    async def listen(self, heard: Heard) -> None:
        self._mouth.listens(heard)
        try:
            await asyncio.Event().wait()
        finally:
            self._mouth.leaves(heard)


class Ear:
    """Healthy as long as its looks are answered: then nobody else needs to look often."""

    def __init__(self, address: Address, mouth: Mouth) -> None:
        self._address = address
        self._mouth = mouth
        self._healthy = False

    @property
    def healthy(self) -> bool:
        return self._healthy

    @property
    def idle_poll_s(self) -> float:
        return IDLE_POLL_S

    async def listen(self, heard: Heard) -> None:
        self._mouth.listens(heard)
        failures = 0
        try:
            while True:
                try:
                    connection = await connect(self._address, name="encoder ear")
                    try:
                        hints = await _look(connection)
                        failures = 0
                        self._healthy = True
                        heard("reconnected")
                        heard("log:")  # other processes cannot say which they read
                        await self._keep(connection, heard, hints)
                    finally:
                        connection.close()
                except errors.StoreUnavailable as error:
                    log.warning("ear.deaf", reason=str(error), note="polling only until hints come through again")
                finally:
                    self._healthy = False
                await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
        finally:
            self._mouth.leaves(heard)

    async def _keep(self, connection: Connection, heard: Heard, before: frozenset[str]) -> None:
        """Look for ever. Work in line is told each time, for whoever can take it; a cancel once."""
        wait_s = BUSY_S
        told: frozenset[str] = frozenset()
        while True:
            for hint in before:
                if hint.startswith("ready:") or hint not in told:
                    heard(hint)
            wait_s = BUSY_S if before - told else min(2 * wait_s, IDLE_S)
            told = before
            await asyncio.sleep(wait_s * random.uniform(0.9, 1.0))  # noqa: S311  # no secret
            before = await _look(connection)


async def _look(connection: Connection) -> frozenset[str]:
    with translated():
        return frozenset(str(row["hint"]) for row in await connection.ask(_WAKE))
