"""Statements for MySQL use no word that the oldest one that we run on has not: none so old is among the labs."""

from __future__ import annotations

import re
from importlib.resources import files

from encoder.store.mysql.migrate import OLDEST_MYSQL
from encoder.store.text import statements

SINCE = {r"JSON_VALUE\s*\(": (8, 0, 21), r"\b(?:INTERSECT|EXCEPT)\b": (8, 0, 31), r"\bMEMBER OF\b": (8, 0, 17)}


def test_no_statement_uses_what_came_after_the_oldest_mysql() -> None:
    newer = [word for word, version in SINCE.items() if version > OLDEST_MYSQL]
    folder = files("encoder.store").joinpath("sql", "mysql")
    found = [
        f"{file.name}: {word}"
        for file in folder.iterdir()
        for statement in statements(file.read_text(encoding="utf-8"))
        for word in newer
        if re.search(word, statement, re.IGNORECASE)
    ]
    assert found == []
