"""Looking at jobs, and steering them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime

import click

from encoder.cli import complete, exits, report, rows, views
from encoder.cli.client import Client
from encoder.cli.crowd import crowd, listed
from encoder.cli.refused import Object, Refused
from encoder.cli.session import Out, confirm, remote, tell
from encoder.cli.text import clean
from encoder.cli.watch import leaving
from encoder.model.base import from_json
from encoder.model.state import JobState


@click.command()
@click.option(
    "--status",
    "states",
    type=click.Choice([state.value for state in JobState]),
    multiple=True,
    help="Only those in this state; may be said again.",
)
@click.option("--tag", help="Only those with this tag.")
@click.option(
    "--preset", metavar="NAME", shell_complete=complete.presets, help="Only those with an output of this preset."
)
@click.option("--code", metavar="CODE", shell_complete=complete.codes, help="Only those that failed with this code.")
@click.option(
    "--search", "q", metavar="TEXT", help="Only those with this in the file name, uuid, tags, metadata or code."
)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@click.option("-w", "--watch", "watched", is_flag=True, help="Stay, and show what changes, until Ctrl-C.")
@remote
async def jobs(
    client: Client, out: Out, *, limit: int, watched: bool, states: tuple[str, ...], **filters: str | None
) -> int:
    """List jobs, newest first; with --watch as a table that stays true.

    Without a terminal, --watch prints a line for each change of a job's state, and with --json the job itself.
    """
    asked = {name: value for name, value in {**filters, "status": ",".join(states)}.items() if value}
    if watched:
        return await _watched(client, out, limit, asked)
    found = []
    async for answer in client.jobs(limit=limit, **asked):
        if out.as_json:
            out.data(answer)
        else:
            found.append(from_json(views.Job, answer))
    if not out.as_json:
        _print(out, found, filtered=bool(asked))
    return exits.DONE


async def _watched(client: Client, out: Out, limit: int, asked: dict[str, str]) -> int:
    title = "  ".join((out.url, *(f"{name} {value}" for name, value in asked.items())))
    async with leaving(out, lambda: "Stopped watching; the jobs go on.", None):
        await crowd(client, out, listed(client, limit, asked), until_ended=False, title=title)
    return exits.DONE


def _print(out: Out, found: list[views.Job], *, filtered: bool) -> None:
    if not found:
        if filtered:
            out.next("No job is like that. See all", "jobs")
        else:
            out.next("There is no job yet. Submit one", "submit", "VIDEO", "--wait")
        return
    if out.tables:
        from encoder.cli.table import printed  # noqa: PLC0415  # rich is slow to load, and pipes need none

        printed(found)
    else:
        at = datetime.now(UTC)
        out.line("\n".join(rows.aligned(rows.row(job, at) for job in found)))
    out.next("Look at one", "job", str(found[0].id))


@click.command()
@click.argument("job", shell_complete=complete.jobs)
@remote
async def job(client: Client, out: Out, *, job: str) -> int:
    """Show one job, by id or uuid: its outputs, where they stand, their proof and what went wrong."""
    answer = await client.job(job)
    if out.as_json:
        out.data(answer)
        return exits.DONE
    shown = from_json(views.Job, answer)
    out.line("\n".join(report.details(shown)))
    if not shown.ended:
        out.next("Watch it", "watch", job)
    elif shown.status != "completed":
        out.next("Run what is missing again, once that is mended", "retry", job)
    out.page(str(shown.id))
    return exits.DONE


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...", shell_complete=complete.open_jobs)
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def cancel(client: Client, out: Out, *, jobs: tuple[str, ...], yes: bool) -> int:
    """Cancel jobs: their ffmpeg ends at once on every worker."""
    confirm(f"Cancel {', '.join(clean(job) for job in jobs)}?", yes=yes)
    return await _each(jobs, client.cancel, out, "is being cancelled", ("Watch it end", "watch"))


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...", shell_complete=complete.ended_badly)
@remote
async def retry(client: Client, out: Out, *, jobs: tuple[str, ...]) -> int:
    """Run again what failed or was cancelled of jobs, and nothing else."""
    return await _each(jobs, client.retry, out, "is queued again", ("Watch it", "watch"))


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...", shell_complete=complete.jobs)
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def delete(client: Client, out: Out, *, jobs: tuple[str, ...], yes: bool) -> int:
    """Remove jobs, and what the platform's own storage holds of them. What still runs is cancelled first.

    What was delivered elsewhere stays. There is no way back.
    """
    confirm(f"Remove {', '.join(clean(job) for job in jobs)} for ever, files and all?", yes=yes)

    async def removed(job: str) -> Object:
        await client.delete(job)
        return {"id": job, "deleted": True}

    return await _each(jobs, removed, out, "is gone", ("See what there is", "jobs"))


async def _each(
    jobs: Iterable[str],
    steer: Callable[[str], Awaitable[Object]],
    out: Out,
    told: str,
    then: tuple[str, str],
) -> int:
    """Steers all jobs, also after one was refused; the worst exit code of them all. `then`: what to say of the next."""
    worst, done = exits.DONE, []
    for job in jobs:
        try:
            answer = await steer(job)
        except Refused as error:
            worst = max(worst, tell(error, as_json=out.as_json))
            continue
        done.append(job)
        if out.as_json:
            out.data(answer)
        else:
            out.line(f"job {clean(job)} {told}")
    if done:
        what, verb = then
        out.next(what, verb, *(done if verb == "watch" else ()))
    return worst
