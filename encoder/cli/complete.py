"""What a shell offers where a word is half typed: asked of the server where that is quick, else nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from encoder.cli.client import Client
from encoder.cli.next import DEFAULT_URL
from encoder.cli.text import clean

WITHIN_S = 1.0  # a shell that hangs is worse than one that knows nothing
MOST = 50

Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_Ask = Callable[[Client], Awaitable[Iterable[tuple[object, object]]]]


def _asked(ask: _Ask) -> Offer:
    """Offers the words that `ask` finds, each with what is said of it."""

    def offer(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        url = ctx.params.get("url") or os.environ.get("ENCODER_URL") or DEFAULT_URL

        async def talk(key: str | None) -> list[tuple[str, str]]:
            async with asyncio.timeout(WITHIN_S), Client(str(url), key, tries=1) as client:
                return [(clean(word), clean(about)) for word, about in await ask(client)]

        try:
            file = ctx.params.get("key_file")
            found = asyncio.run(talk(Path(file).read_text().strip() if file else os.environ.get("ENCODER_API_KEY")))
        except Exception:  # noqa: BLE001  # whatever is wrong, the command itself will say
            return []
        return [CompletionItem(word, help=about) for word, about in found if word.startswith(incomplete)]

    return offer


def _jobs(**filters: str) -> Offer:
    async def ask(client: Client) -> list[tuple[object, object]]:
        found = [job async for job in client.jobs(limit=MOST, **filters)]
        return [(job["id"], f"{job['status']} {job['name']}") for job in found]

    return _asked(ask)


async def _presets(client: Client) -> list[tuple[object, object]]:
    return [(preset["name"], preset["about"]) for preset in await client.presets()]


async def _queues(client: Client) -> list[tuple[object, object]]:
    queues = (await client.stats())["queues"]
    listed = queues if isinstance(queues, list) else []
    return [(queue["queue"], "") for queue in listed if isinstance(queue, dict)]


async def _endpoints(client: Client) -> list[tuple[object, object]]:
    return [(endpoint["name"], endpoint["url"]) for endpoint in await client.endpoints()]


async def _rules(client: Client) -> list[tuple[object, object]]:
    return [(rule["name"], "") for rule in await client.ingest_rules()]


jobs = _jobs()
open_jobs = _jobs(status="queued,processing")
ended_badly = _jobs(status="failed,cancelled")
presets = _asked(_presets)
queues = _asked(_queues)
endpoints = _asked(_endpoints)
rules = _asked(_rules)


def codes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes of the catalogue."""
    from encoder.errors import CATALOGUE  # noqa: PLC0415  # only then

    return [CompletionItem(code, help=entry.title) for code, entry in CATALOGUE.items() if code.startswith(incomplete)]
