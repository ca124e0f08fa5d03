"""The examples of the pages: blocks of text, each of which says in a comment before it how it is run.

<!-- run: shell -->         with bash, at a real platform, together with the others of its page
<!-- run: python -->        as a program, among them
<!-- run: file NAME -->     laid into the folder, for them
<!-- run: printed NAME -->  what the file holds in the end; numbers may be others
<!-- run: job -->           a job that is accepted as it stands; so `output`, of which there may be several, `preset`, …
<!-- run: by FILE -->       that test takes it from the page
<!-- run: no, REASON -->    not at all
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(?:^<!-- run: ([^\n]*?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(r"<!-- (\w+)(?: \S+)? -->.*?<!-- /\1 -->", re.DOTALL)
_WHOLLY = {"cli.md", "errors.md"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`how`: the word after `run:`, "" where none is said; `argument`: what follows it."""

    page: str
    how: str
    argument: str
    language: str
    text: str

    @property
    def body(self) -> str:
        """The JSON of it: all of it, or what a command sends."""
        found = re.search(r"-d '\s*(\{.*\})\s*'", self.text, re.DOTALL)
        return found[1] if found else self.text


def blocks(path: Path) -> Iterator[Block]:
    """Those that people wrote; what `make docs` writes is not an example."""
    for said, language, text in _BLOCK.findall(_GENERATED.sub("", path.read_text())):
        how, _, argument = said.replace(", ", " ", 1).partition(" ")
        yield Block(page=str(path.relative_to(ROOT)), how=how, argument=argument, language=language, text=text)


def of_tasks() -> list[Path]:
    """The pages that tell people what to do."""
    return [ROOT / "README.md", *sorted((DOCS / "start").glob("*.md")), *sorted((DOCS / "howto").glob("*.md"))]


def written() -> list[Path]:
    """All pages that people wrote."""
    return [ROOT / "README.md", *(path for path in sorted(DOCS.rglob("*.md")) if path.name not in _WHOLLY)]
