"""A bar for each output of a job, redrawn in place on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from encoder.cli import rows
from encoder.cli.text import clean, percent
from encoder.cli.views import Job, Output

_WIDEST = 110  # what is drawn in place wraps where a terminal is made narrower: the less of it the better
_NARROW = 78
_BAR = 24
STYLES = {
    "queued": "bright_black",
    "processing": "blue",
    "completed": "green",
    "uploaded": "green",
    "failed": "bold white on red",
    "cancelled": "bright_black",
}


class Bars:
    """Drawn four times a second, so that a terminal may be resized meanwhile."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._job: Job | None = None
        self._live = Live(console=self._console, get_renderable=self._drawn, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, job: Job) -> None:
        self._job = job
        self._live.refresh()

    def _drawn(self) -> Group:
        job = self._job
        if job is None:
            return Group()
        width = min(_WIDEST, self._console.width - 1)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.width = width
        for _ in range(2):
            table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(no_wrap=True, width=_BAR if width >= _NARROW else _BAR // 3)
        table.add_column(no_wrap=True, justify="right", min_width=4)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for output in job.outputs:
            table.add_row(*_cells(output))
        return Group(table, *_note(job))


def _note(job: Job) -> Iterator[Text]:
    """What it waits for; of chunks, how many are made: that is no standing still."""
    waits = job.waiting_for
    if waits is None or job.ended:
        return
    begin, style = ("", "blue") if waits.goes_on else ("waits: ", "yellow")
    yield Text(f"{begin}{clean(waits.words)}", style=style, no_wrap=True, overflow="ellipsis")


def _cells(output: Output) -> tuple[Text, Text, ProgressBar, Text, Text]:
    made = output.status == "uploaded"
    share = 1.0 if made else output.progress
    facts = "  ".join(fact for fact in ("" if made else rows.speed(output), clean(output.rungs)) if fact)
    return (
        Text(clean(output.name)),
        Text(clean(output.stage or output.status), style=STYLES.get(output.status, "blue")),
        ProgressBar(total=1.0, completed=share or 0.0, complete_style="blue", finished_style="green"),
        Text(percent(share)),
        Text(facts),
    )
