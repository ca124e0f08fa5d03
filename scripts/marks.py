"""Parts of a page that are written by `make docs`, between marks: `<!-- NAME WHAT -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_PART = re.compile(r"<!-- (\w+)(?: (\S+))? -->\n.*?<!-- /\1 -->", re.DOTALL)


def filled(page: str, writers: Mapping[str, Callable[[str], str]]) -> str:
    """The page below docs/ with each part that `writers` know by its name, given WHAT, written anew."""

    def write(part: re.Match[str]) -> str:
        name, what = part[1], part[2] or ""
        if name not in writers:
            return part[0]
        head = f"<!-- {name} {what} -->" if what else f"<!-- {name} -->"
        written = writers[name](what).strip()
        return f"{head}\n\n{written}\n\n<!-- /{name} -->" if written else f"{head}\n<!-- /{name} -->"

    return _PART.sub(write, (DOCS / page).read_text())


def wrapped(body: str, *, width: int = 110) -> str:
    """JSON on lines that can be read, broken between members alone."""
    lines = [""]
    for piece in body.replace("}, ", "},\n").replace(', "', ',\n"').splitlines():
        if len(lines[-1]) + len(piece) > width:
            lines.append(" ")
        lines[-1] += f" {piece}" if lines[-1].strip() else piece
    return "\n".join(lines)
