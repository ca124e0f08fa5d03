"""Webhooks on a laptop, without a tunnel: asks the API, and tells a receiver on this machine."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing

import click

from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.heard import of_deliveries, of_jobs
from encoder.cli.session import Out, remote
from encoder.cli.text import clean


@click.command()
@click.option("--to", "address", metavar="URL", help="Post each to this receiver: http://localhost:3000/.")
@click.option(
    "--secret",
    envvar="WEBHOOK_SECRET",
    help="What signs it: the receiver verifies it as in earnest.  [WEBHOOK_SECRET, else a new one that is shown]",
)
@click.option(
    "--endpoint",
    metavar="NAME",
    shell_complete=complete.endpoints,
    help="What this endpoint is told, in its form.  [else: all that happens]",
)
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
    asked = {"endpoint": endpoint, "event": event}
    filters = {name: value for name, value in asked.items() if value}
    news = of_deliveries(client, filters) if endpoint else of_jobs(client, event)
    async with AsyncExitStack() as stack:
        receiver = None
        if address:
            from encoder.cli.receiver import Receiver  # noqa: PLC0415  # what posts takes long to load

            receiver = await stack.enter_async_context(Receiver(address, secret, out))
        out.note("Listening; Ctrl-C ends it.")
        heard = 0
        async with aclosing(news):
            async for each in news:
                said = await receiver.tell(each) if receiver else ""
                out.line(each.body if out.as_json else each.said + clean(said))
                heard += 1
                if heard == limit:
                    break
    return exits.DONE
