"""The statements, one file each in `store/sql/postgres`, read once. Values are always bound, never written in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import LiteralString

from encoder.store.statements import Statement


def _read(name: str) -> LiteralString:
    return files("encoder.store").joinpath("sql", "postgres", f"{name}.sql").read_text(encoding="utf-8")


TEXTS: Mapping[Statement, LiteralString] = {statement: _read(statement) for statement in Statement}

ENQUEUE = _read("enqueue")
STEP_BACK = _read("step_back")
TICKET = _read("ticket")
HINT = _read("hint")
BEAT = _read("beat")

SCHEMA = _read("schema")
STEP_2 = _read("step_2")
STEP_3 = _read("step_3")
STEP_4 = _read("step_4")
STEP_5 = _read("step_5")
STEP_6 = _read("step_6")
STEP_7 = _read("step_7")
STEP_8 = _read("step_8")
