"""Every code has its entry in docs/reference/errors.md, and the examples are what the code writes."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from encoder.errors import CATALOGUE, Entry
from scripts import troubles
from tests.lab.pages import DOCS, ROOT

_LEAST = 12  # letters of a sentence that are always the same


@functools.cache
def _sentences() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """All texts that the product writes: those that are always the same, and those in which something is filled in."""
    plain, filled = set(), set()
    for path in (ROOT / "encoder").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
                if sum(map(len, filter(None, parts))) >= _LEAST:
                    filled.add("".join(".*?" if part is None else re.escape(part) for part in parts))
    return frozenset(plain), tuple(re.compile(pattern, re.DOTALL) for pattern in filled)


def test_every_code_has_its_causes_and_no_other_word_has() -> None:
    assert troubles.TROUBLES.keys() == CATALOGUE.keys()
    assert [code for code, each in troubles.TROUBLES.items() if not each["mostly"]] == []


def test_every_code_has_an_entry_at_its_anchor() -> None:
    page = (DOCS / "reference" / "errors.md").read_text()
    assert [code for code in CATALOGUE if f"\n### {code}\n" not in page] == []


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.code)
def test_an_example_says_what_the_code_says(entry: Entry) -> None:
    plain, filled = _sentences()
    said = troubles.said(entry)
    assert said in plain or any(sentence.fullmatch(said) for sentence in filled)
