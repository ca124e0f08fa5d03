"""Finds the tests that hold each case of docs/why/security.md; `make docs` writes them beside it.

A test names its cases in its docstring, as `A12` or `D1 to D3`, a module those of all its tests. G5 alone is
a guarantee; the case is `G5 of security.md`. What stands in the column of a case without a test is kept.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "why" / "security.md"
_ROW = re.compile(r"^\| (\*?)([A-Q]\d+)\1 \| (.*) \| (.*) \|$", re.MULTILINE)
_NAMED = re.compile(r"\b([A-Q])(\d{1,2})[a-c]?\b(?: to \1(\d{1,2})\b)?")


def page() -> str:
    """docs/why/security.md, each case beside the tests that name it."""
    held = tests_by_case()

    def row(found: re.Match[str]) -> str:
        star, case, what, said = found.groups()
        return f"| {star}{case}{star} | {what} | {' '.join(f'`{test}`' for test in held.get(case, ())) or said} |"

    return _ROW.sub(row, PAGE.read_text())


def cases() -> dict[str, str]:
    """Of each case what stands in the last column."""
    return {case: said for _, case, _, said in _ROW.findall(PAGE.read_text())}


def tests_by_case() -> dict[str, list[str]]:
    """Tests as `folder/file.py::name`, modules as `folder/file.py`."""
    held = defaultdict(list)
    for path in sorted((ROOT / "tests").glob("*/*.py")):
        for name, docstring in _told(ast.parse(path.read_text()), str(path.relative_to(ROOT / "tests"))):
            for case in _named(docstring):
                held[case].append(name)
    return held


def _told(module: ast.Module, file: str) -> Iterator[tuple[str, str]]:
    tests = [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    if tests:
        yield file, ast.get_docstring(module) or ""
    yield from ((f"{file}::{test.name}", ast.get_docstring(test) or "") for test in tests)


def _named(docstring: str) -> list[str]:
    found = (
        f"{group}{number}"
        for group, first, last in _NAMED.findall(docstring)
        if group != "G" or "of security.md" in docstring
        for number in range(int(first), int(last or first) + 1)
    )
    return list(dict.fromkeys(found))
