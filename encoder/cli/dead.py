"""What failed, and running it again once its cause is mended."""

from __future__ import annotations

from datetime import datetime

import click

from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.moment import moment
from encoder.cli.refused import Object
from encoder.cli.session import Out, confirm, remote
from encoder.cli.text import clean, count
from encoder.errors import FailureClass


@click.command()
@remote
async def dead(client: Client, out: Out) -> int:
    """List what failed alike, the most frequent first, with what to do about it."""
    groups = await client.dead()
    for group in groups:
        if out.as_json:
            out.data(group)
        else:
            out.line("\n".join(_lines(group)))
    if groups:
        out.next("Run it again when that is done", "redrive", "--code", str(groups[0].get("code")))
    else:
        out.next("No job stands failed. See all", "jobs")
    return exits.DONE


def _lines(group: Object) -> list[str]:
    first, last = (_time(group.get(at)) for at in ("firstAt", "lastAt"))
    facts = clean(f"{group.get('jobs'):>8}  {group.get('code'):<26} {group.get('class'):<10} {first} – {last}")
    advice = group.get("advice")
    return [facts, *([f"          → {clean(advice)}"] if advice else [])]


def _time(told: object) -> str:
    return f"{datetime.fromisoformat(str(told)):%Y-%m-%d %H:%M:%S}"


@click.command()
@click.option("--code", metavar="CODE", shell_complete=complete.codes, help="Only what failed with this code.")
@click.option("--class", "kind", type=click.Choice([kind.value for kind in FailureClass]), help="Only this class.")
@click.option("--since", type=moment, metavar="TIME", help="Only what failed then or later: 2026-11-20T13:00:00Z.")
@click.option("--until", type=moment, metavar="TIME", help="Only what failed before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def redrive(client: Client, out: Out, *, limit: int, yes: bool, **asked: str | None) -> int:
    """Run again what failed alike, the oldest first. Say at least one of --code, --class and --since."""
    if not (asked["code"] or asked["kind"] or asked["since"]):
        raise click.UsageError("say which: --code, --class or --since. `encoder dead` lists what there is.")
    since, until = asked["since"], asked["until"]
    if since and until and datetime.fromisoformat(until) <= datetime.fromisoformat(since):
        raise click.UsageError("--until must be later than --since.")
    names = {"code": "code", "kind": "class", "since": "failedAfter", "until": "failedBefore"}
    chosen = {names[name]: value for name, value in asked.items() if value}
    meant = ", ".join(f"{name} {clean(value)}" for name, value in chosen.items())
    confirm(f"Run again up to {count(limit, 'failed job')} ({meant})?", yes=yes)
    done = await client.redrive(limit, **chosen)
    if out.as_json:
        out.data(done)
    else:
        out.line(clean(f"{done.get('redriven')} queued again, {done.get('skipped')} skipped, {done.get('left')} left"))
    out.next("Watch them", "watch")
    return exits.DONE
