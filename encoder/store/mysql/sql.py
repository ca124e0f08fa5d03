"""The statements, in files of `store/sql/mysql`, read once: one file per verb, in which several may follow each other.

Values are always bound. They are written `$1`, `$2` … as for PostgreSQL; the driver knows `%s` alone, so each statement
remembers which values it takes, and in which order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from encoder.store.text import statements

_VALUE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Query:
    """`text` with `%s` for each value; `order`: which of the values stands there, from 0."""

    text: str
    order: tuple[int, ...]

    @classmethod
    def of(cls, statement: str) -> Query:
        order = tuple(int(number) - 1 for number in _VALUE.findall(statement))
        return cls(_VALUE.sub("%s", statement.replace("%", "%%")), order)

    def taking(self, values: Sequence[object]) -> tuple[object, ...]:
        return tuple(values[at] for at in self.order)


def read(name: str) -> str:
    return files("encoder.store").joinpath("sql", "mysql", f"{name}.sql").read_text(encoding="utf-8")


def queries(name: str) -> tuple[Query, ...]:
    """The statements of `<name>.sql`, in their order."""
    return tuple(Query.of(statement) for statement in statements(read(name)))


def query(name: str) -> Query:
    """The one statement of `<name>.sql`."""
    (only,) = queries(name)
    return only
