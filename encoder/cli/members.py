"""Rows of the database and findings as JSON: what commands print that do not ask the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from encoder.model.base import Json


def members(row: DataclassInstance) -> dict[str, Json]:
    """`row` as the API would write it: names in camelCase, times as text, sets in order."""
    return {_camel(name): msgspec.to_builtins(value, order="sorted") for name, value in asdict(row).items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))
