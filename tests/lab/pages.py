"""The examples of the pages: blocks of text, each of which says in a comment before it how it is run.

<!-- run: shell -->         with bash, at a real platform, together with the others of its page
<!-- run: python -->        as a program, among them
<!-- run: file NAME -->     laid into the folder, for them
<!-- run: printed NAME -->  what the file holds in the end; numbers may be others
<!-- run: job -->           a job that is accepted as it stands (so `output`, `rule`, `members` of a preset)
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
        if self.language == "json":
            return self.text
        found = re.search(r"-d '(\{.*\})'", self.text, re.DOTALL)
        assert found, self.text
        return found[1]


def blocks(path: Path) -> Iterator[Block]:
    for said, language, text in _BLOCK.findall(path.read_text()):
        how, _, argument = said.replace(", ", " ", 1).partition(" ")
        yield Block(page=str(path.relative_to(ROOT)), how=how, argument=argument, language=language, text=text)


def of_tasks() -> list[Path]:
    """The pages that tell people what to do."""
    return [ROOT / "README.md", *sorted((DOCS / "start").glob("*.md")), *sorted((DOCS / "howto").glob("*.md"))]


def with_examples() -> list[Path]:
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
