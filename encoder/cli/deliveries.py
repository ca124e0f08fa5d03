"""What was told to whom, and telling it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import click

from encoder.cli import exits
from encoder.cli.client import Client
from encoder.cli.moment import moment
from encoder.cli.refused import Object
from encoder.cli.session import Out, confirm, remote
from encoder.cli.text import clean

STATES = ("pending", "delivered", "exhausted", "gone")
_NAMES = {
    "status": "status",
    "endpoint": "endpoint",
    "job": "job",
    "event": "event",
    "since": "createdAfter",
    "until": "createdBefore",
}
_FILTERS: tuple[Callable[[Callable[..., int]], Callable[..., int]], ...] = (
    click.option("--until", type=moment, metavar="TIME", help="Only what was written before."),
    click.option("--since", type=moment, metavar="TIME", help="Only what was written then or later."),
    click.option("--event", metavar="TYPE", help="Only events of this type."),
    click.option("--job", metavar="ID", help="Only of this job."),
    click.option("--endpoint", metavar="NAME", help="Only to this endpoint."),
    click.option("--status", type=click.Choice(STATES), help="Only what stands so."),
)


def filtered(command: Callable[..., int]) -> Callable[..., int]:
    """Adds the options that choose deliveries."""
    for option in _FILTERS:
        command = option(command)
    return command


def chosen(asked: dict[str, str | None]) -> dict[str, str]:
    """The API's parameters for what was said."""
    return {_NAMES[name]: value for name, value in asked.items() if value}


@click.command()
@filtered
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@remote
async def deliveries(client: Client, out: Out, *, limit: int, **asked: str | None) -> int:
    """List what was told to whom, newest first."""
    known, exhausted = 0, None
    async for delivery in client.deliveries(limit=limit, **chosen(asked)):
        known += 1
        if delivery.get("status") == "exhausted":
            exhausted = exhausted or str(delivery.get("id"))
        if out.as_json:
            out.data(delivery)
        else:
            out.line(line(delivery))
    if exhausted:
        out.next("Tell it again", "webhooks", "replay", exhausted)
    elif not known and not out.as_json:
        out.note("Nothing like that was told to anybody.")
    return exits.DONE


@click.command()
@click.argument("numbers", nargs=-1)
@filtered
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@remote
async def replay(
    client: Client, out: Out, *, numbers: tuple[str, ...], limit: int, yes: bool, **asked: str | None
) -> int:
    """Tell again: the deliveries of these NUMBERS, or all that the options choose, the newest first.

    Exhausted ones, if no --status is said. Each keeps its `webhook-id`.
    """
    if numbers:
        for number in numbers:
            await client.replay(number)
            if out.as_json:
                out.data({"id": number, "replayed": True})
            else:
                out.line(f"delivery {clean(number)} is told again")
        out.next("See what became of it", "webhooks", "deliveries")
        return exits.DONE
    filters = chosen(asked)
    if not filters:
        raise click.UsageError("say which: their numbers, or options such as --status exhausted or --endpoint NAME.")
    meant = ", ".join(f"{name} {clean(value)}" for name, value in filters.items())
    confirm(f"Tell again up to {limit} deliveries ({meant})?", yes=yes)
    done = await client.replay_all(limit, **filters)
    if out.as_json:
        out.data(done)
    else:
        out.line(f"{done.get('replayed')} told again, {done.get('left')} left")
    return exits.DONE


def line(delivery: Object) -> str:
    """One delivery, for people."""
    at = datetime.fromisoformat(str(delivery.get("createdAt")))
    whom = delivery.get("endpoint") or delivery.get("url")
    about = f"job {delivery.get('jobId')}" if delivery.get("jobId") else "a test"
    said = delivery.get("error") or (f"HTTP {delivery.get('httpStatus')}" if delivery.get("httpStatus") else "")
    facts = (
        f"{delivery.get('status'):<9} {delivery.get('type'):<16} {about}  {whom}  tries {delivery.get('tries')}  {said}"
    )
    return clean(f"{delivery.get('id'):>8}  {at:%Y-%m-%d %H:%M:%S}  {facts}").rstrip()
