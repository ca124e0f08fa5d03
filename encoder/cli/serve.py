"""The commands that are the platform: they read the settings and hand over to the roles."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from encoder import errors
from encoder.cli import exits
from encoder.cli.live import silent as silent_at
from encoder.cli.members import members
from encoder.cli.next import command
from encoder.cli.spans import Span
from encoder.cli.text import clean, count

if TYPE_CHECKING:
    from encoder.doctor import Finding
    from encoder.settings import Settings
    from encoder.store.steps import Schema

T = TypeVar("T")

at_home = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".encoder"),
    show_default=True,
    help="Folder of `encoder up`, whose database it is where ENCODER_DATABASE_URL names none.",
)


def leave_when_told() -> None:
    """Until a role has loaded, which takes a second, SIGTERM ends it so: the first process of a container has no other
    answer to it.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(exits.TERMINATED))


def serve(start: Callable[[Settings], Coroutine[None, None, T]]) -> T:
    """Runs `start` with the settings of this process; what unfits us to run is told in a sentence."""
    from encoder import settings  # noqa: PLC0415  # pydantic is slow to load, and most commands need none

    try:
        return asyncio.run(start(settings.load()))
    except asyncio.CancelledError:
        sys.exit(exits.TERMINATED)
    except errors.StoreUnavailable as error:
        from encoder.store import advice  # noqa: PLC0415  # only then

        click.echo(f"error: the database cannot be used: {clean(error)}\n  → {advice.to_do(error)}", err=True)
        sys.exit(exits.UNAVAILABLE)
    except errors.Unfit as error:
        raise exits.Wrong(f"{clean(error)}\n  → docs/reference/settings.md says what each setting may be.") from error


@click.command()
@click.option("--host", help="Address to listen on.  [ENCODER_HOST, else 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any.  [ENCODER_PORT, else 8080]")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".encoder"),
    show_default=True,
    help="Folder of the database and the storage.",
)
@click.option("--workers", type=click.IntRange(min=0), default=1, show_default=True, help="Workers; 0: API only.")
def up(host: str | None, port: int | None, data: Path, workers: int) -> int:
    """Run everything on this machine: a database of its own, the API, a worker. Ctrl-C stops it."""
    leave_when_told()
    from encoder.roles.serve import run_up  # noqa: PLC0415  # the whole platform hangs on it

    return serve(
        lambda settings: run_up(
            settings, host=host, port=port, data=data, workers=workers, ready=partial(greet, settings)
        )
    )


def greet(settings: Settings, url: str) -> None:
    """Says where it is, and what comes next; whoever reads a log of JSON finds the address there."""
    from encoder.log import LogFormat, is_for_people  # noqa: PLC0415  # as in up

    if is_for_people(LogFormat(settings.log_format)):
        submit = command("submit", "VIDEO", "--preset", "h264", "--wait", url=url)
        click.echo(f"The dashboard is at {url}\nOr try it here: {submit}", err=True)


@click.command()
def api() -> int:
    """Run the API against ENCODER_DATABASE_URL."""
    leave_when_told()
    from encoder.roles.serve import run_api  # noqa: PLC0415  # as in up

    return serve(run_api)


@click.command()
@click.option("--exit-when-idle", "idle_s", type=Span(), help="End once it has had no work for so long: 60, 5m.")
@click.option("--max-age", "age_s", type=Span(), help="Older than this (6h) take no more; end when the last is done.")
def worker(idle_s: float | None, age_s: float | None) -> int:
    """Run a worker against ENCODER_DATABASE_URL. SIGTERM lets it end its work or give it back."""
    leave_when_told()
    from encoder.roles.serve import run_worker  # noqa: PLC0415  # as in up
    from encoder.worker.depart import Departure  # noqa: PLC0415  # as in up

    departure = None if idle_s is None and age_s is None else Departure(idle_s=idle_s, age_s=age_s)
    return serve(lambda settings: run_worker(settings, departure))


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 0: up to date, 1: steps pending, 2: not for us.")
def migrate(*, check: bool) -> int:
    """Create or upgrade the tables of ENCODER_DATABASE_URL, and end."""
    leave_when_told()
    from encoder.roles import operate  # noqa: PLC0415  # as in up

    return _checked(serve(operate.run_migrate_check)) if check else serve(operate.run_migrate)


def _checked(schema: Schema) -> int:
    """Says where a schema stands; the exit code for it."""
    there = f"schema {schema.version}" if schema.version else "no tables"
    if schema.is_pending:
        click.echo(f"{there}, this program's is {schema.ours}: run {command('migrate')}")
        return exits.FAILED
    if schema.is_beyond_us:
        click.echo(f"{there}, for programs from schema {schema.compatible_from} on; this one's is {schema.ours}")
        return exits.USAGE
    click.echo(f"{there}, this program's is {schema.ours}: nothing to do")
    return exits.DONE


@click.command()
@at_home
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
@click.option(
    "--after-restore",
    is_flag=True,
    help="Once, after the database was brought back to a moment before, while no role runs: make it fit for them.",
)
@click.option("--live", is_flag=True, help="Only ask the role that runs here whether it lives, as health checks do.")
def doctor(data: Path, *, as_json: bool, after_restore: bool, live: bool) -> int:
    """Check the machine, the database, the storage and ffmpeg, and say what to do about what is wrong."""
    if live:
        silent = serve(silent_at)
        click.echo(f"no good answer from {', '.join(silent)}" if silent else "alive", err=bool(silent))
        return exits.FAILED if silent else exits.DONE
    from encoder.roles import operate  # noqa: PLC0415  # as in up

    run = operate.run_after_restore if after_restore else operate.run_doctor
    findings = serve(lambda settings: run(settings, data=data))
    for finding in findings:
        click.echo(json.dumps(members(finding)) if as_json else _line(finding))
    bad = sum(not finding.ok for finding in findings)
    if not as_json:
        click.echo(
            f"{count(bad, 'thing')} to mend; look again: {command('doctor')}" if bad else "All is well.", err=True
        )
    return exits.FAILED if bad else exits.DONE


def _line(finding: Finding) -> str:
    mark = click.style("ok ", fg="green") if finding.ok else click.style("BAD", fg="red")
    advice = f"\n      → {clean(finding.to_do)}" if finding.to_do and not finding.ok else ""
    return f"{mark} {finding.name}: {clean(finding.detail)}{advice}"
