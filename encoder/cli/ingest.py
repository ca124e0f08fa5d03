"""Ingest rules: which objects of buckets become jobs."""

from __future__ import annotations

from typing import TextIO

import click

from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.refused import Object
from encoder.cli.said import object_of
from encoder.cli.session import Out, remote
from encoder.cli.text import clean


@click.group()
def ingest() -> None:
    """Say which new objects of a bucket become jobs (docs/reference/ingest.md)."""


@ingest.command()
@remote
async def rules(client: Client, out: Out) -> int:
    """List rules by name: what they take, and what they make of it. What is secret of them is not shown."""
    found = await client.ingest_rules()
    for rule in found:
        _told(rule, out)
    if not found:
        out.next("There is none. Make one", "ingest", "put", "NAME", "FILE")
    return exits.DONE


@ingest.command()
@click.argument("name")
@click.argument("file", type=click.File())
@remote
async def put(client: Client, out: Out, *, name: str, file: TextIO) -> int:
    """Make a rule as FILE says it (- is stdin), or replace one whole: {"source": {...}, "outputs": [...]}.

    Secrets are said each time. Jobs that there are keep what they were made with.
    """
    _told(await client.put_ingest_rule(name, object_of(file)), out)
    out.next("See what comes in", "jobs", "--watch")
    return exits.DONE


@ingest.command()
@click.argument("name", shell_complete=complete.rules)
@remote
async def remove(client: Client, out: Out, *, name: str) -> int:
    """Remove a rule: nothing is made by it any more."""
    await client.remove_ingest_rule(name)
    out.removed(name)
    return exits.DONE


def _told(rule: Object, out: Out) -> None:
    if out.as_json:
        out.data(rule)
        return
    source, outputs = rule.get("source"), rule.get("outputs")
    where = f"s3://{source.get('bucket')}/{source.get('prefix', '')}" if isinstance(source, dict) else ""
    made = len(outputs) if isinstance(outputs, list) else 0
    state = "" if rule.get("enabled") else ", off"
    out.line(clean(f"{rule.get('name'):<18} version {rule.get('version')}{state}  {where}  {made} outputs"))
