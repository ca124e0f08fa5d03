"""Presets: those that there are, and one's own."""

from __future__ import annotations

import json
from typing import TextIO

import click

from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.said import object_of
from encoder.cli.session import Out, remote
from encoder.cli.text import clean


@click.group()
def presets() -> None:
    """List presets and show what they stand for; keep and remove your own."""


@presets.command(name="list")
@remote
async def listed(client: Client, out: Out) -> int:
    """List presets, built-in ones first."""
    for preset in await client.presets():
        if out.as_json:
            out.data(preset)
        else:
            whose = "built in" if preset.get("builtIn") else f"yours, version {preset.get('version')}"
            out.line(clean(f"{preset.get('name'):<18} {whose}  {preset.get('about')}").strip())
    out.next("See what one stands for", "presets", "show", "NAME")
    return exits.DONE


@presets.command()
@click.argument("name", shell_complete=complete.presets)
@remote
async def show(client: Client, out: Out, *, name: str) -> int:
    """Show the members that a preset stands for, as one would write them into a job."""
    preset = await client.preset(name)
    if out.as_json:
        out.data(preset)
    else:
        out.line("\n".join(map(clean, json.dumps(preset.get("members"), indent=2, ensure_ascii=False).splitlines())))
    out.next("Use it", "submit", "SOURCE", "--preset", name)
    return exits.DONE


@presets.command()
@click.argument("name")
@click.argument("file", type=click.File())
@remote
async def put(client: Client, out: Out, *, name: str, file: TextIO) -> int:
    """Keep a preset of your own, as FILE says it (- is stdin): {"about": TEXT, "members": {...}}.

    It is for the jobs to come; those that there are keep what they were submitted with.
    """
    preset = await client.put_preset(name, object_of(file))
    if out.as_json:
        out.data(preset)
    else:
        out.line(clean(f"{preset.get('name')} version {preset.get('version')}"))
    out.next("Use it", "submit", "SOURCE", "--preset", name)
    return exits.DONE


@presets.command()
@click.argument("names", nargs=-1, required=True, shell_complete=complete.presets)
@remote
async def remove(client: Client, out: Out, *, names: tuple[str, ...]) -> int:
    """Remove presets of your own. Jobs that were submitted with them keep what they said."""
    for name in names:
        await client.remove_preset(name)
        out.removed(name)
    return exits.DONE
