"""Follows what receivers are told, and tells it to one on this machine: webhooks on a laptop, without a tunnel."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import click

from encoder import errors
from encoder.cli import exits
from encoder.cli.client import Client, Object
from encoder.cli.deliveries import chosen, line
from encoder.cli.session import Out, remote
from encoder.cli.text import clean
from encoder.webhooks import sign

PAUSE_S = 1.0  # between two looks
MOST = 10_000  # of one look
BACK = 100  # known ones, after which a look ends
ANSWER_S = 15.0


@click.command()
@click.option(
    "--to", "address", metavar="URL", help="Post each to this receiver of yours, such as http://localhost:3000/."
)
@click.option(
    "--secret",
    envvar="WEBHOOK_SECRET",
    help="What signs it: the receiver verifies it as in earnest.  [WEBHOOK_SECRET, else a new one that is shown]",
)
@click.option("--endpoint", metavar="NAME", help="Only what this endpoint is told.")
@click.option("--event", metavar="TYPE", help="Only events of this type.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many.")
@remote
async def listen(
    client: Client,
    out: Out,
    *,
    address: str | None,
    secret: str | None,
    limit: int | None,
    **asked: str | None,
) -> int:
    """Follow what receivers are told from now on; with --to, tell it to one of yours, too, under the same `webhook-id`.

    What is told elsewhere is told there all the same. Nothing is told where nobody asked: a job names a
    `notificationUrl`, or there is an endpoint.
    """
    signer = _signer(secret, out) if address else None
    news = _News(client, chosen(asked))
    await news.begin()
    out.note("Listening; Ctrl-C ends it.")
    heard = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S)) as session:
        while True:
            for number in await news.look():
                delivery = await client.delivery(str(number))
                said = await _told(session, delivery, address, signer) if address and signer else ""
                _show(delivery, said, out)
                heard += 1
                if heard == limit:
                    return exits.DONE
            await asyncio.sleep(PAUSE_S)


class _News:
    """Deliveries that were not seen yet. Their numbers may appear out of order, so each look goes some way back."""

    def __init__(self, client: Client, filters: dict[str, str]) -> None:
        self._client = client
        self._filters = filters
        self._seen: set[int] = set()
        self._first = 0

    async def begin(self) -> None:
        """What there is by now is no news."""
        async for delivery in self._client.deliveries(limit=BACK):
            self._seen.add(_number(delivery))
        self._first = min(self._seen, default=0)

    async def look(self) -> list[int]:
        """The numbers of those that came since, the oldest first."""
        fresh, known = [], 0
        async for delivery in self._client.deliveries(limit=MOST, **self._filters):
            number = _number(delivery)
            known += number in self._seen
            if number < self._first or known == BACK:
                break
            if number not in self._seen:
                fresh.append(number)
        self._seen.update(fresh)
        return sorted(fresh)


def _signer(secret: str | None, out: Out) -> str:
    if secret is None:
        secret = sign.new_secret()
        out.note(f"Your receiver verifies with {secret}")
    try:
        return sign.checked(secret)
    except errors.Unfit as error:
        raise click.UsageError(f"--secret: {error}.") from error


async def _told(session: aiohttp.ClientSession, delivery: Object, address: str, secret: str) -> str:
    """What the receiver on this machine said."""
    body = str(delivery["body"])
    headers = sign.headers([secret], webhook_id=str(delivery["webhookId"]), at=datetime.now(UTC), body=body)
    headers["Content-Type"] = "application/json"
    try:
        async with session.post(address, data=body.encode(), headers=headers, allow_redirects=False) as response:
            return f"  → {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"  → {type(error).__name__}"


def _show(delivery: Object, said: str, out: Out) -> None:
    if out.as_json:
        out.data(delivery)
    else:
        out.line(line(delivery) + clean(said))


def _number(delivery: Object) -> int:
    return int(str(delivery["id"]))
