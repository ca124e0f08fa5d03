"""What leads a database from one version of its schema to the next, and which programs a version is for.

A step is a file of statements. From `ONLINE` on each of its statements runs by itself and may run again, so that a
step that was killed is gone through once more; no statement waits for a lock for longer than `lock_wait_s`, since
whoever waits for a table keeps all others from it that come later.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from encoder import errors
from encoder.log import get_logger

log = get_logger(__name__)

ONLINE = 7  # older steps ran while nothing else did; the last database that needs one is of November 2026
TRIES = 20
HOT = frozenset("jobs job_outputs job_events webhook_deliveries tasks task_ready task_leases queues workers".split())  # noqa: SIM905  # words
HOT_WAIT_S = 1
WAIT_S = 3
_TURN_S = 0.2
_PAUSE_S = (0.2, 1.5)  # before another try: what held the table needs some time, and others need their turn

_OLDEST_PROGRAM = re.compile(r"^-- compatible from: (\d+)$", re.MULTILINE)
_TABLE = re.compile(r"(?:TABLE(?: IF NOT EXISTS)?|INDEX .*? ON|UPDATE|DELETE FROM|INSERT INTO)\s+(\w+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A database's schema beside the one of this program.

    `version`: 0 where there are no tables. `compatible_from`: programs made for an older version may no longer use it.
    """

    version: int
    compatible_from: int
    ours: int

    @property
    def is_pending(self) -> bool:
        """Whether steps are to be taken before this program may use it."""
        return self.version < self.ours

    @property
    def is_beyond_us(self) -> bool:
        return self.compatible_from > self.ours

    def require_fit(self) -> None:
        """Raises:
        errors.SchemaUnfit: this program may not use it as it is.
        """
        if self.is_pending:
            raise errors.SchemaUnfit(f"schema {self.version}, need {self.ours}")
        if self.is_beyond_us:
            whose = f"is for programs from schema {self.compatible_from} on, this one is of {self.ours}"
            raise errors.SchemaUnfit(f"schema {self.version}, which {whose}")


class Migrations(Protocol):
    """What an engine's module `migrate` has."""

    @property
    def VERSION(self) -> int: ...  # noqa: N802  # a constant of the module

    async def upgrade(self, dsn: str, /) -> int: ...

    async def check(self, dsn: str, /) -> Schema: ...


async def prepare(migrate: Migrations, dsn: str, *, auto_migrate: bool) -> None:
    """Have a schema that this program may use: as `upgrade` does, or by refusing another one. Raises as `upgrade`, and

    errors.SchemaUnfit: it is not, and `auto_migrate` is off or cannot help.
    """
    if not auto_migrate or await migrate.upgrade(dsn) > migrate.VERSION:
        (await migrate.check(dsn)).require_fit()


def compatible_from(step: str) -> int:
    """The oldest version whose programs may go on after this step, as its head says; 1 where it says nothing."""
    said = _OLDEST_PROGRAM.search(step)
    return int(said[1]) if said else 1


def lock_wait_s(statement: str) -> int:
    """How long a statement of a step may stand before a table: less where every task passes."""
    table = _TABLE.search(statement)
    return HOT_WAIT_S if table is not None and table[1] in HOT else WAIT_S


def turn_s() -> float:
    """Until another look whether whoever upgrades just now is done."""
    return random.uniform(0.5, 1.0) * _TURN_S  # noqa: S311  # no secret


async def tried(take: Callable[[str], Awaitable[None]], statement: str) -> None:
    """Have `take` run one statement of a step: again after a pause while a table cannot be had.

    Raises:
        errors.StoreUnavailable: twenty times it could not.
    """
    for number in range(1, TRIES + 1):
        try:
            return await take(statement)
        except TableBusy as busy:
            log.warning("migrate.table_busy", statement=statement.split("\n", 1)[0], tried=number, of=TRIES)
            last = busy
        await asyncio.sleep(random.uniform(*_PAUSE_S))  # noqa: S311  # as above
    told = f"a table was in use at each of {TRIES} tries, the last thing said: {last}; nothing is half done: try again"
    raise errors.StoreUnavailable(told) from last


class TableBusy(Exception):
    """A lock was not to be had within the time."""
