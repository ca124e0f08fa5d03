"""The page that keeps what long runs found."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "why" / "reliability.md"


def write(mark: str, told: str) -> None:
    """In place of what stands there between the marks."""
    place = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark.split(maxsplit=1)[0]} -->)", re.DOTALL)
    PAGE.write_text(place.sub(lambda found: found[1] + told + found[2], PAGE.read_text()))


def table(rows: Mapping[str, str]) -> str:
    """Markdown, with when and where it was."""
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = "".join(f"| {name} | {value} |\n" for name, value in {"when, where": when, **rows}.items())
    return f"| | |\n|---|---|\n{lines}"
