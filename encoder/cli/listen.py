"""Webhooks on a laptop, without a tunnel: asks the API, and tells a receiver on this machine."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime

import aiohttp
import click

from encoder import errors
from encoder.cli import exits
from encoder.cli.client import Client
from encoder.cli.heard import Heard, of_deliveries, of_jobs
from encoder.cli.session import Out, remote
from encoder.cli.text import clean
from encoder.webhooks import sign

ANSWER_S = 15.0


@click.command()
@click.option("--to", "address", metavar="URL", help="Post each to this receiver: http://localhost:3000/.")
@click.option(
    "--secret",
    envvar="WEBHOOK_SECRET",
    help="What signs it: the receiver verifies it as in earnest.  [WEBHOOK_SECRET, else a new one that is shown]",
)
@click.option("--endpoint", metavar="NAME", help="What this endpoint is told, in its form.  [else: all that happens]")
@click.option("--event", metavar="TYPE", help="Only events of this type.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many.")
@remote
async def listen(
    client: Client,
    out: Out,
    *,
    address: str | None,
    secret: str | None,
    endpoint: str | None,
    event: str | None,
    limit: int | None,
) -> int:
    """Show what happens to jobs from now on; with --to, tell it to a receiver of yours, as a webhook.

    It is signed, and has the `webhook-id` that others get. No endpoint is needed, and none notices.
    """
    if endpoint:
        await client.endpoint(endpoint)  # of one that is not there nothing would ever be heard
    signer = _signer(secret, out) if address else None
    asked = {"endpoint": endpoint, "event": event}
    filters = {name: value for name, value in asked.items() if value}
    news = of_deliveries(client, filters) if endpoint else of_jobs(client, event)
    out.note("Listening; Ctrl-C ends it.")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session, aclosing(news):
        heard = 0
        async for each in news:
            said = await _told(session, each, address, signer) if address and signer else ""
            out.line(each.body if out.as_json else each.said + clean(said))
            heard += 1
            if heard == limit:
                break
    return exits.DONE


def _signer(secret: str | None, out: Out) -> str:
    if secret is None:
        secret = sign.new_secret()
        out.note(f"Your receiver verifies with {secret}")
    try:
        return sign.checked(secret)
    except errors.Unfit as error:
        raise click.UsageError(f"--secret: {error}.") from error


async def _told(session: aiohttp.ClientSession, heard: Heard, address: str, secret: str) -> str:
    """What the receiver on this machine said."""
    headers = sign.headers([secret], webhook_id=heard.webhook_id, at=datetime.now(UTC), body=heard.body)
    headers["Content-Type"] = "application/json"
    try:
        async with session.post(address, data=heard.body.encode(), headers=headers, allow_redirects=False) as response:
            return f"  → {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"  → {type(error).__name__}"
