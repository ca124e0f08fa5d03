"""Looking at jobs, and steering them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import click

from encoder.cli import exits, report, views
from encoder.cli.client import Client, Object, Refused
from encoder.cli.session import Out, confirm, remote, tell
from encoder.cli.text import clean, percent
from encoder.model.base import from_json
from encoder.model.state import JobState


@click.command()
@click.option("--status", type=click.Choice([state.value for state in JobState]), help="Only those in this state.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--search", "q", metavar="TEXT", help="Only those with this in the source's file name, uuid or a tag.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@remote
async def jobs(client: Client, out: Out, *, limit: int, **filters: str | None) -> int:
    """List jobs, newest first."""
    asked = {name: value for name, value in filters.items() if value}
    async for answer in client.jobs(limit=limit, **asked):
        if out.as_json:
            out.data(answer)
        else:
            out.line(_row(from_json(views.Job, answer)))
    return exits.DONE


def _row(job: views.Job) -> str:
    facts = f"{job.id:>8}  {clean(job.status):<10} {percent(job.progress):>5}"
    return f"{facts}  {job.created_at:%Y-%m-%d %H:%M:%S}  {clean(job.name)}"


@click.command()
@click.argument("job")
@remote
async def job(client: Client, out: Out, *, job: str) -> int:
    """Show one job, by id or uuid: its outputs, where they stand, their proof and what went wrong."""
    answer = await client.job(job)
    if out.as_json:
        out.data(answer)
    else:
        out.line("\n".join(report.details(from_json(views.Job, answer))))
    return exits.DONE


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def cancel(client: Client, out: Out, *, jobs: tuple[str, ...], yes: bool) -> int:
    """Cancel jobs: their ffmpeg ends at once on every worker."""
    confirm(f"Cancel {', '.join(clean(job) for job in jobs)}?", yes=yes)
    return await _each(jobs, client.cancel, out, "is being cancelled")


@click.command()
@click.argument("jobs", nargs=-1, required=True, metavar="JOB...")
@remote
async def retry(client: Client, out: Out, *, jobs: tuple[str, ...]) -> int:
    """Run again what failed or was cancelled of jobs, and nothing else."""
    return await _each(jobs, client.retry, out, "is queued again")


async def _each(jobs: Iterable[str], steer: Callable[[str], Awaitable[Object]], out: Out, told: str) -> int:
    """Steers all jobs, also after one was refused; the worst exit code of them all."""
    worst = exits.DONE
    for job in jobs:
        try:
            answer = await steer(job)
        except Refused as error:
            worst = max(worst, tell(error, as_json=out.as_json))
            continue
        if out.as_json:
            out.data(answer)
        else:
            out.line(f"job {clean(job)} {told}")
            out.next("Watch it", "watch", job)
    return worst
