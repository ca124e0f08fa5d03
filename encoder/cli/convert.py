"""One job in a container of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click

from encoder.cli.text import clean

if TYPE_CHECKING:
    from encoder.batch.conversion import Outcome
    from encoder.batch.order import Asked, Order
    from encoder.settings import Settings

EXAMPLES = """\b
encoder convert 42
JOB_ID=42 OUTPUT_CODEC=h264 S3_BUCKET=videos AWS_REGION=eu-central-1 encoder convert
"""
_GIVEN_BACK = 75  # batch.ending.Exit; while that is loaded it is not there yet


@click.command(epilog=EXAMPLES)
@click.argument("job", required=False)
@click.option("--tenant", type=click.IntRange(min=1), default=1, show_default=True, help="Whose JOB it is.")
def convert(job: str | None, tenant: int) -> int:
    """Do one job, and end: JOB of ENCODER_DATABASE_URL, or the one that the environment names, without a database.

    JOB_ID, OUTPUT_CODEC (h264, vp9, av1), S3_BUCKET and AWS_REGION are required; DYNAMODB_TABLE may name a table that
    keeps the status. uploads/JOB_ID/input.mp4 becomes outputs/JOB_ID/output.mp4 or .webm. The last line of the output
    is one JSON object; docs/operate/batch.md has the exit codes.
    """
    signal.signal(signal.SIGTERM, _stopped)
    from encoder import errors, settings  # noqa: PLC0415  # the platform hangs on it, and most commands need none
    from encoder.batch.order import read  # noqa: PLC0415

    if job is not None:
        return _of_the_database(job, tenant)
    asked = read(os.environ)
    ours: Settings | str
    try:
        ours = settings.load()
    except errors.Unfit as error:
        ours = clean(error)
    if asked.order is None or isinstance(ours, str):
        faults = asked.faults if not isinstance(ours, str) else (*asked.faults, ours)
        return _refused(asked, ". ".join(fault.removesuffix(".") for fault in faults) + ".")
    try:
        return _told(asked, asyncio.run(_work(asked, asked.order, ours)))
    except errors.Unfit as error:
        return _refused(asked, clean(error))
    except asyncio.CancelledError:  # before it could begin
        return _interrupted(asked)


def _of_the_database(ref: str, tenant: int) -> int:
    from encoder import errors, settings  # noqa: PLC0415  # as in convert
    from encoder.batch import ending, report  # noqa: PLC0415
    from encoder.model.ids import TenantId  # noqa: PLC0415
    from encoder.roles.convert import run_job  # noqa: PLC0415

    try:
        told = report.of_job(ref, asyncio.run(run_job(settings.load(), ref, TenantId(tenant))))
    except errors.Unfit as error:
        told = report.ended(ref, ending.unusable(clean(error)))
    except errors.StoreUnavailable as error:
        told = report.ended(ref, ending.away(clean(error)))
    except asyncio.CancelledError:  # before it could begin
        told = report.ended(ref, ending.INTERRUPTED)
    if "message" in told:
        click.echo(f"error: {clean(str(told['message']))}", err=True)
    _line(told)
    return int(str(told["exit_code"]))


async def _work(asked: Asked, order: Order, ours: Settings) -> Outcome:
    from encoder.roles.convert import run_batch  # noqa: PLC0415  # as in convert

    return await run_batch(ours, order, bail=partial(_bail, asked))


def _bail(asked: Asked) -> NoReturn:
    os._exit(_interrupted(asked))


def _interrupted(asked: Asked) -> int:
    from encoder.batch.conversion import Outcome  # noqa: PLC0415  # as in convert
    from encoder.batch.ending import INTERRUPTED  # noqa: PLC0415

    return _told(asked, Outcome(ending=INTERRUPTED))


def _refused(asked: Asked, faults: str) -> int:
    from encoder.batch.conversion import Outcome  # noqa: PLC0415  # as in convert
    from encoder.batch.ending import unusable  # noqa: PLC0415
    from encoder.roles.convert import tell_unusable  # noqa: PLC0415

    ending = unusable(faults)
    if asked.table is not None:
        asyncio.run(tell_unusable(asked.table, ending))
    return _told(asked, Outcome(ending=ending))


def _told(asked: Asked, outcome: Outcome) -> int:
    """Says how it ended, to people and, last, to programs."""
    from encoder.batch.report import members  # noqa: PLC0415  # as in convert

    if outcome.ending is not None:
        click.echo(f"error: {clean(outcome.ending.message)}", err=True)
    _line(members(asked, outcome))
    return int(outcome.exit)


def _stopped(_number: int, _frame: object) -> NoReturn:
    """A signal while the platform is loaded: nothing was begun."""
    told = {"job_id": os.environ.get("JOB_ID"), "status": "PROCESSING", "exit_code": _GIVEN_BACK, "retry": True}
    _line({**told, "code": "interrupted", "message": "The container was stopped before its work was begun."})
    os._exit(_GIVEN_BACK)


def _line(told: object) -> None:
    click.echo(json.dumps(told))
    sys.stdout.flush()
