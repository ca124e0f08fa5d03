"""What shows how a job gets on: bars on a terminal, a line per change elsewhere, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from encoder.cli.session import Out
from encoder.cli.text import clean
from encoder.cli.views import Job


class Screen(Protocol):
    def show(self, job: Job) -> None: ...


class Silence:
    def show(self, job: Job) -> None:
        pass


class Lines:
    """One line for each change of an output's state."""

    def __init__(self) -> None:
        self._told: dict[int, str] = {}

    def show(self, job: Job) -> None:
        for output in job.outputs:
            if self._told.get(output.id) != output.status:
                self._told[output.id] = output.status
                click.echo(f"job {job.id}  {clean(output.name)}  {clean(output.status)}", err=True)


@contextmanager
def screen(out: Out) -> Iterator[Screen]:
    """The one that fits where our words go."""
    if out.bars:
        from encoder.cli.bars import Bars  # noqa: PLC0415  # rich is slow to load, and most commands need none

        with Bars() as bars:
            yield bars
    else:
        yield Silence() if out.quiet else Lines()
