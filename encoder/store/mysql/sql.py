"""The statements, in files of `store/sql/mysql`, read once: one file per verb, in which several may follow each other.

Values are always bound. They are written `$1`, `$2` … as for PostgreSQL; the driver knows `%s` alone, so each statement
remembers which values it takes, and in which order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

_VALUE = re.compile(r"\$(\d+)")
_COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)
_REMARK = re.compile(r"\s+--\s.*$", re.MULTILINE)


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


def statements(text: str) -> tuple[str, ...]:
    """The statements of a file, without its comments. None of ours has a semicolon inside."""
    bare = _REMARK.sub("", _COMMENT.sub("", text))
    return tuple(part.strip() for part in bare.split(";") if part.strip())


def read(name: str) -> str:
    return files("encoder.store").joinpath("sql", "mysql", f"{name}.sql").read_text(encoding="utf-8")


def queries(name: str) -> tuple[Query, ...]:
    """The statements of `<name>.sql`, in their order."""
    return tuple(Query.of(statement) for statement in statements(read(name)))


def query(name: str) -> Query:
    """The one statement of `<name>.sql`."""
    (only,) = queries(name)
    return only
