"""Retention as a role: one sweep that a timer starts, or one after another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from encoder.cli import exits
from encoder.cli.members import members
from encoder.cli.serve import at_home, leave_when_told, serve
from encoder.cli.text import clean, size
from encoder.model.policy import SWEPT

if TYPE_CHECKING:
    from encoder.retention.survey import Share, Survey
    from encoder.retention.sweep import Report

_EXITS = {"done": exits.DONE, "more": exits.LEFT_OVER, "failed": exits.FAILED}


@click.command()
@at_home
@click.option("--dry-run", is_flag=True, help="Only tell which jobs and uploads would go.")
@click.option("--max-seconds", type=click.FloatRange(min=0), help="Leave the rest to the next one after so long.")
@click.option("--every", type=click.FloatRange(min=1), help="Sweep every so many seconds, until SIGTERM.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per sweep.")
def retention(data: Path, *, dry_run: bool, max_seconds: float | None, every: float | None, as_json: bool) -> int:
    """Remove what has had its time: jobs by ENCODER_RETENTION_HOURS and ENCODER_RETENTION_RULES, uploads, leftovers.

    A timer starts it once an hour; `encoder up` does it by itself. Two at once do no harm, and one that is killed is
    taken up by the next. Exit code 0: all is done; 3: the time was up, and the next one goes on; 1: it failed.
    """
    leave_when_told()
    from encoder.roles import operate  # noqa: PLC0415  # the whole platform hangs on it

    if dry_run:
        found = serve(lambda settings: operate.run_survey(settings, data=data))
        click.echo(json.dumps(members(found)) if as_json else "\n".join(_surveyed(found)))
        return exits.DONE

    def told(report: Report) -> None:
        click.echo(json.dumps(members(report)) if as_json else _line(report))

    hear = told if as_json or sys.stdout.isatty() else None  # whoever reads logs has it in the log
    report = serve(
        lambda settings: operate.run_retention(settings, data=data, most_s=max_seconds, every_s=every, told=hear)
    )
    return exits.DONE if report is None else _EXITS[report.outcome]


def _line(report: Report) -> str:
    counted = [f"{report.removed[what]:,} {words}" for what, words in SWEPT.items() if report.removed.get(what)]
    freed = report.removed.get("bytes", 0)
    told = [f"Removed: {', '.join(counted) or 'nothing'}{f' ({size(freed)})' if freed else ''}."]
    if report.outcome == "more":
        told.append("The time was up: the next one goes on.")
    if report.blocked:
        told.append(f"The storage keeps the objects of {report.blocked:,}.")
    if report.overdue:
        told.append(f"{report.overdue:,} jobs should be gone for two hours.")
    if report.problem:
        told.append(clean(report.problem))
    return " ".join(told)


def _surveyed(found: Survey) -> Iterator[str]:
    for share in found.shares:
        yield from _shared(share)
    yield f"uploads: {found.uploads:,} ({size(found.upload_bytes)})"


def _shared(share: Share) -> Iterator[str]:
    age = "" if share.hours is None else f", {share.hours:g} h after their end" if share.hours else ", kept"
    yield f"{clean(share.rule)}{age}: {share.jobs:,} jobs ({size(share.bytes)})"
    for job in share.first:
        yield f"  {job.id}  {job.uuid}  {job.at:%Y-%m-%d %H:%M:%S}"
    if share.jobs > len(share.first):
        yield f"  … and {share.jobs - len(share.first):,} more"
