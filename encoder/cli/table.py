"""Many jobs on a terminal: as a table that is printed, or as one that stays true until it is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from encoder.cli import rows
from encoder.cli.bars import STYLES
from encoder.cli.refused import Object
from encoder.cli.text import clean, count
from encoder.cli.views import Job
from encoder.model.state import JobState

_ROOMY = 120  # columns from which on there is a bar
_BAR = 12
_FRAME = 3  # lines that are no jobs: what is looked at, the heads, what is left out


def printed(jobs: Sequence[Job]) -> None:
    """A table on standard output, as wide as the terminal."""
    console = Console(highlight=False)
    console.print(_table(jobs, console.width))


class LiveTable:
    """A screen of its own, like a pager's; what was seen last is printed when it is left.

    `title`: what is looked at. Drawn four times a second: ages grow, and a terminal may be resized.
    """

    def __init__(self, title: str) -> None:
        self._console = Console(highlight=False)
        self._title = clean(title)
        self._jobs: Sequence[Job] = ()
        self._trouble = ""
        self._read = False
        self._live = Live(console=self._console, get_renderable=self._drawn, screen=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._jobs:
            self._console.print(_table(self._jobs, self._console.width))

    def show(self, jobs: Sequence[Job], answers: Mapping[int, Object]) -> None:
        del answers
        self._jobs, self._read = jobs, True

    def trouble(self, error: Exception | None) -> None:
        """What keeps it from being true; None: nothing any more."""
        self._trouble = f"{clean(error)}; trying again, as of before" if error else ""

    def _drawn(self) -> Group:
        width, height = self._console.size
        room = max(1, height - _FRAME)
        shown = self._jobs if len(self._jobs) <= room else self._jobs[:room]
        left = len(self._jobs) - len(shown)
        ends = f"{count(left, 'more job')} below: make the window higher" if left else ""
        return Group(self._headline(), _table(shown, width), Text(ends, style="bright_black"))

    def _headline(self) -> Text:
        counted = {state: sum(job.status == state for job in self._jobs) for state in JobState}
        told = ", ".join(f"{number} {state}" for state, number in counted.items() if number)
        state = Text(self._trouble, style="bold yellow") if self._trouble else Text(f"{datetime.now(UTC):%H:%M:%S} UTC")
        waiting = "no job" if self._read else "asking …"
        parts = (state, told) if self._trouble else (told or waiting, state)
        line = Text.assemble((self._title, "bold"), "  ", parts[0], "  ", parts[1])
        line.no_wrap, line.overflow = True, "ellipsis"
        return line


def _table(jobs: Sequence[Job], width: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bright_black", width=width)
    at = datetime.now(UTC)
    made = [rows.row(job, at) for job in jobs]
    table.add_column(rows.HEAD[0], justify="right", no_wrap=True)
    table.add_column(rows.HEAD[1], no_wrap=True, min_width=10)
    table.add_column(rows.HEAD[2], no_wrap=True, justify="right", min_width=4)
    table.add_column(rows.HEAD[3], no_wrap=True, ratio=3)
    table.add_column(rows.HEAD[4], no_wrap=True)
    table.add_column(rows.HEAD[5][:4] if width < _ROOMY else rows.HEAD[5], no_wrap=True, justify="right")
    table.add_column(rows.HEAD[6], no_wrap=True, justify="right", min_width=6)
    table.add_column(rows.HEAD[7], no_wrap=True, ratio=2)
    for each in made:
        job, state, done, *others = each.cells
        bar = _bar(each.share, width) if each.status == "processing" else ""
        style = STYLES.get(each.status, "")
        table.add_row(
            job, Text(f" {state} " if " on " in style else state, style=style), Text(bar + done), *map(Text, others)
        )
    return table


def _bar(share: float | None, width: int) -> str:
    if share is None or width < _ROOMY:
        return ""
    full = round(_BAR * share)
    return "━" * full + "─" * (_BAR - full) + " "
