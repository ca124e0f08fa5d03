"""Staying with a job until it ends: bars on a terminal, a line per change elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from encoder import errors
from encoder.cli import exits, report, views
from encoder.cli.client import BUSY, Client, Object, Refused, Unreachable
from encoder.cli.session import Out, remote
from encoder.cli.text import clean, duration, size
from encoder.model.base import from_json

AGAIN_S = 0.5
PATIENCE_S = 60.0  # a server is restarted in less


@click.command()
@click.argument("job")
@click.option("--timeout", "timeout_s", type=float, help="Seconds after which to stop watching.")
@remote
async def watch(client: Client, out: Out, *, job: str, timeout_s: float | None) -> int:
    """Follow a job until it ends. Ctrl-C stops only the watching."""
    return await until_end(client, out, job, timeout_s=timeout_s)


async def until_end(client: Client, out: Out, job_id: str, *, timeout_s: float | None) -> int:
    """Shows the job until it ends, then how; the exit code says it too."""
    try:
        async with asyncio.timeout(timeout_s):
            answer = await last(client, out, job_id, patience_s=timeout_s or PATIENCE_S)
    except TimeoutError:
        out.note(f"Stopped watching; the job goes on. Watch it: {out.command('watch', job_id)}")
        return exits.TIMED_OUT
    except asyncio.CancelledError:
        out.note(f"Stopped watching; the job goes on. Cancel it: {out.command('cancel', job_id)}")
        raise
    job = from_json(views.Job, answer)
    _conclude(out, job, answer)
    return exits.of_job(job.status)


def _conclude(out: Out, job: views.Job, answer: Object) -> None:
    for warning in report.warnings(job):
        out.note(warning)
    if out.as_json:
        out.data(answer)
        return
    for line in report.ending(job):
        click.echo(line, err=job.status != "completed")


async def last(client: Client, out: Out, job_id: str, *, patience_s: float = PATIENCE_S) -> Object:
    """The job as it ended."""

    def away(error: Exception) -> None:
        out.note(f"{clean(error)}; trying again for {patience_s:g} s …")

    with _screen(out) as screen:
        async with aclosing(patiently(client, job_id, away, patience_s=patience_s)) as answers:
            async for answer in answers:
                job = from_json(views.Job, answer)
                screen.show(job)
                if job.ended:
                    return answer
    raise errors.Defect("following ends with the job")


async def patiently(
    client: Client, job_id: str, away: Callable[[Exception], None], *, patience_s: float
) -> AsyncGenerator[Object, None]:
    """The same as `follow`, also past a server that is away for so long; `away` is told each time that it goes."""
    gone_at: float | None = None
    while True:
        try:
            async with aclosing(follow(client, job_id)) as answers:
                async for answer in answers:
                    gone_at = None
                    yield answer
        except (Unreachable, Refused) as error:
            if isinstance(error, Refused) and error.status not in BUSY:
                raise
            if gone_at is None:
                gone_at = time.monotonic()
                away(error)
            if time.monotonic() - gone_at >= patience_s:
                raise
        else:
            return
        await asyncio.sleep(AGAIN_S)


async def follow(client: Client, job_id: str) -> AsyncGenerator[Object, None]:
    """The job as it is, then again each time that something has happened to it, until it has ended."""
    while True:
        answer = await client.job(job_id)
        yield answer
        if from_json(views.Job, answer).ended:
            return
        async with aclosing(client.events(job_id)) as events:
            async for _ in events:
                yield await client.job(job_id)
        await asyncio.sleep(AGAIN_S)  # the server ended the stream although the job goes on: it is being restarted


class Screen(Protocol):
    def show(self, job: views.Job) -> None: ...


class Silence:
    def show(self, job: views.Job) -> None:
        pass


class Lines:
    """One line for each change of an output's state."""

    def __init__(self) -> None:
        self._told: dict[int, str] = {}

    def show(self, job: views.Job) -> None:
        for output in job.outputs:
            if self._told.get(output.id) != output.status:
                self._told[output.id] = output.status
                click.echo(f"job {job.id}  {clean(output.name)}  {clean(output.status)}", err=True)


class Bars:
    """One bar for each output, redrawn in place."""

    def __init__(self) -> None:
        self._rows: dict[int, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[facts]}", markup=False),
            console=Console(stderr=True),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, job: views.Job) -> None:
        for output in job.outputs:
            if output.id not in self._rows:
                self._rows[output.id] = self._progress.add_task("", total=1.0, facts="")
            share = 1.0 if output.status == "uploaded" else output.progress or 0.0
            name = f"{clean(output.name):<14} {clean(output.stage or output.status):<10}"
            self._progress.update(self._rows[output.id], completed=share, description=name, facts=_facts(output))


def _facts(output: views.Output) -> str:
    speed = f"{output.speed:.1f}× real time" if output.speed else ""
    rate = f"{size(output.bytes_per_second)}/s" if output.bytes_per_second else ""
    left = f"{duration(output.eta_seconds)} left" if output.eta_seconds is not None else ""
    return "  ".join(fact for fact in (speed, rate, left) if fact)


@contextmanager
def _screen(out: Out) -> Iterator[Screen]:
    if out.bars:
        with Bars() as bars:
            yield bars
    else:
        yield Silence() if out.quiet else Lines()
