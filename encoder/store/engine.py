"""What the verbs stand on: a database as each engine offers it. Statements are asked for by name, values are bound.

Values and what columns give are those of the driver at its best: UUID, aware datetimes in UTC, timedelta, bool, bytes,
text; a sequence stands for an array, and JSON is text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from encoder.store.statements import Statement

T = TypeVar("T")

ACQUIRE_S = 2.0  # for a connection of the pool, before the caller is told that we are too busy
AGE_S = 1800.0  # a connection that is older is made anew


class Row(Protocol):
    """One row that came back, by the names of its columns."""

    def __getitem__(self, column: str, /) -> Any: ...  # noqa: ANN401  # as the drivers type it; `read.py` gives types


class Session(Protocol):
    """A connection, inside a transaction or for a while."""

    async def fetch(self, statement: Statement, *values: object) -> Sequence[Row]: ...

    async def fetchrow(self, statement: Statement, *values: object) -> Row | None:
        """Where there is at most one row."""

    async def execute(self, statement: Statement, *values: object) -> None:
        """Where no row is asked for."""


class Pool(Protocol):
    """The connections of one process.

    Every method raises `errors.StoreUnavailable` when the database is away or too slow, `errors.StoreBusy` when no
    connection is free for `ACQUIRE_S`, and runs the whole again when it lost a deadlock against a rival.
    """

    async def rows(self, statement: Statement, *values: object) -> Sequence[Row]:
        """Run one statement, which is its own transaction."""

    async def search(self, statement: Statement, *values: object, most_s: float | None = None) -> Sequence[Row]:
        """As `rows`, for a statement whose filters may be absent: planned anew, with the values at hand.

        Raises:
            errors.TooLong: the server has worked for `most_s` seconds, and is stopped.
        """

    async def row(self, statement: Statement, *values: object) -> Row | None:
        """As `rows`, where there is at most one."""

    async def visit(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` on one connection, each statement as its own transaction: for what reads several times."""

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` in a transaction; an error of it rolls everything back."""

    async def close(self) -> None: ...
