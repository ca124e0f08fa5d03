"""Staying with jobs: with one or some until they end, with all until one has seen enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import click

from encoder import errors
from encoder.cli import complete, exits, report, views
from encoder.cli.client import Client
from encoder.cli.crowd import crowd, named, unfinished
from encoder.cli.follow import PATIENCE_S, patiently
from encoder.cli.refused import Object
from encoder.cli.screens import screen
from encoder.cli.session import Out, remote
from encoder.cli.text import clean, left
from encoder.model.base import from_json


@click.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete.open_jobs)
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0), help="Seconds after which to stop watching.")
@remote
async def watch(client: Client, out: Out, *, jobs: tuple[str, ...], timeout_s: float | None) -> int:
    """Follow jobs until they end: one with a bar per output, several as a table. Ctrl-C stops only the watching.

    Without a JOB: all that wait or run, and those that come, until Ctrl-C. The exit code of several is 1 if one failed,
    else 6 if one was cancelled. With --json a job is told once it has ended, of several each when its state changes.
    """
    if len(jobs) == 1:
        return await until_end(client, out, jobs[0], timeout_s=timeout_s)
    look = named(client, jobs) if jobs else unfinished(client)
    again = out.command("watch", *jobs)
    async with leaving(out, lambda: f"Stopped watching; the jobs go on.\nWatch them again: {again}", timeout_s):
        ended = await crowd(client, out, look, until_ended=bool(jobs), patience_s=timeout_s or PATIENCE_S)
        return _told_of(out, ended)
    return exits.TIMED_OUT


def _told_of(out: Out, ended: Sequence[views.Job]) -> int:
    failed = [job for job in ended if job.status == "failed"]
    if failed:
        out.next("See what went wrong, and what to do", "job", str(failed[0].id))
    return exits.of_jobs(job.status for job in ended)


async def until_end(client: Client, out: Out, job_id: str, *, timeout_s: float | None) -> int:
    """Shows the job until it ends, then how; the exit code says it too."""
    seen: list[views.Job] = []

    def goes_on() -> str:
        eta_s = seen[0].eta_seconds if seen else None
        time = f", with about {left(eta_s)} to encode" if eta_s is not None else ""
        watch, cancel = (out.command(verb, job_id) for verb in ("watch", "cancel"))
        return f"Stopped watching; the job goes on{time}.\nWatch it: {watch}\nCancel it: {cancel}"

    async with leaving(out, goes_on, timeout_s):
        answer = await last(client, out, job_id, patience_s=timeout_s or PATIENCE_S, seen=seen)
        job = from_json(views.Job, answer)
        _conclude(out, job, answer)
        return exits.of_job(job.status)
    return exits.TIMED_OUT


@asynccontextmanager
async def leaving(out: Out, goes_on: Callable[[], str], timeout_s: float | None) -> AsyncIterator[None]:
    """Says what `goes_on` when its block ends before what was waited for: by the time, which is no error, or Ctrl-C."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        out.note(goes_on())
    except asyncio.CancelledError:
        out.note(goes_on())
        raise exits.Left from None


def _conclude(out: Out, job: views.Job, answer: Object) -> None:
    for warning in report.warnings(job):
        out.note(warning)
    if out.as_json:
        out.data(answer)
        return
    for line in report.ending(job):
        click.echo(line, err=job.status != "completed")
    if job.status == "completed":
        out.next("See its files and its proof", "job", str(job.id))
    elif any(output.command for output in job.outputs if output.error):
        out.next("See what ffmpeg said", "log", str(job.id))
    out.page(str(job.id))


async def last(
    client: Client, out: Out, job_id: str, *, patience_s: float = PATIENCE_S, seen: list[views.Job] | None = None
) -> Object:
    """The job as it ended. `seen`: holds it as it was seen last."""

    def away(error: Exception) -> None:
        out.note(f"{clean(error)}; trying again for {patience_s:g} s …")

    with screen(out) as shown:
        async with aclosing(patiently(client, job_id, away, patience_s=patience_s)) as answers:
            async for answer in answers:
                job = from_json(views.Job, answer)
                if seen is not None:
                    seen[:] = [job]
                shown.show(job)
                if job.ended:
                    return answer
    raise errors.Defect("following ends with the job")
