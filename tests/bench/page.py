"""Tables of docs/why/benchmarks.md that a bench writes itself, between its marks."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from encoder.embedded import programs

PAGE = Path(__file__).parents[2] / "docs" / "why" / "benchmarks.md"


def machine() -> str:
    """Where and when it was measured."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, PostgreSQL"
        f" {programs.find(None).major} with its defaults, Python {platform.python_version()}; load of the machine"
        f" now: {os.getloadavg()[0]:.1f}."
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Numbers to the right of what they are."""
    lines = [heads, ("---", *["---:"] * (len(heads) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(name: str, told: str) -> None:
    """Put it in place of what stands there."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    PAGE.write_text(place.sub(lambda found: f"{found[1]}{told.rstrip()}\n{found[2]}", PAGE.read_text()))
