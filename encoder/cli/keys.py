"""Keys of the API: made, listed and revoked on the database itself, so that the first one needs none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from encoder.cli import exits
from encoder.cli.members import members
from encoder.cli.next import command
from encoder.cli.serve import at_home, serve
from encoder.cli.text import clean
from encoder.model.ids import DEFAULT_TENANT, KeyId, TenantId
from encoder.model.key import Scope, digest, new_key, shown

if TYPE_CHECKING:
    from encoder.settings import Settings
    from encoder.store.kept import KeyRow

_SCOPES = (Scope.READ.value, Scope.WRITE.value)


@click.group()
def keys() -> None:
    """Make, list and revoke keys of the API, in the database that the server uses."""


@keys.command()
@click.argument("name")
@click.option(
    "--tenant", type=click.IntRange(min=1), default=DEFAULT_TENANT, show_default=True, help="Whose key it is."
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=_SCOPES,
    show_default=True,
    help="What it may: read what belongs to its tenant, write it, or admin what all share. Repeatable.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good.  [else: until it is revoked]")
@at_home
@click.option("--json", "as_json", is_flag=True, help="The key and all about it as JSON.")
def create(name: str, tenant: int, scopes: tuple[str, ...], days: int | None, data: Path, *, as_json: bool) -> int:
    """Make a key, called NAME, and print it. Nobody can print it again: only its hash is kept."""
    from encoder.roles import operate  # noqa: PLC0415  # the whole platform hangs on it
    from encoder.store.kept import NewKey  # noqa: PLC0415  # as above

    key = new_key()
    new = NewKey(
        tenant_id=TenantId(tenant),
        name=name,
        prefix=shown(key),
        digest=digest(key),
        scopes=frozenset(map(Scope, scopes)),
        good_for=timedelta(days=days) if days else None,
    )

    async def make(settings: Settings) -> tuple[KeyRow, str]:
        return await operate.on_store(settings, lambda store: store.add_key(new), data=data), _where(settings, data)

    made, where = serve(make)
    click.echo(json.dumps({**members(made), "key": key}) if as_json else key)
    if not as_json:
        told = "Clients take it from ENCODER_API_KEY, or a file that --key-file names."
        click.echo(f"This is key {made.id} of {where}, shown this once. {told}", err=True)
    return exits.DONE


def _where(settings: Settings, data: Path) -> str:
    """Which database was meant, by its place alone: whoever has several makes a key in the wrong one unseen."""
    if settings.database_url is None:
        return f"the database in {data}"
    address = settings.database_url.get_secret_value().partition("?")[0]
    return f"the database at {address.rpartition('://')[2].rpartition('@')[2]}"


@keys.command(name="list")
@at_home
@click.option("--json", "as_json", is_flag=True, help="One JSON object per key.")
def listed(data: Path, *, as_json: bool) -> int:
    """List all keys that were made: by their first characters, never whole."""
    from encoder.roles import operate  # noqa: PLC0415  # as in create

    found = serve(lambda settings: operate.on_store(settings, lambda store: store.keys(), data=data))
    for key in found:
        click.echo(json.dumps(members(key)) if as_json else clean(_line(key)))
    if not found and not as_json:
        click.echo(f"There is none. Make one: {command('keys', 'create', 'NAME')}", err=True)
    return exits.DONE


@keys.command()
@click.argument("key", type=click.IntRange(min=1))
@at_home
@click.option("--json", "as_json", is_flag=True, help="The key's number as JSON.")
def revoke(key: int, data: Path, *, as_json: bool) -> int:
    """Let a KEY, by its number, in no more. Servers hear of it within ten seconds."""
    from encoder.roles import operate  # noqa: PLC0415  # as in create

    if not serve(lambda settings: operate.on_store(settings, lambda store: store.revoke_key(KeyId(key)), data=data)):
        raise exits.Wrong(f"there is no key {key}.\n  → See those that there are: {command('keys', 'list')}")
    if as_json:
        click.echo(json.dumps({"id": key, "revoked": True}))
    else:
        click.echo(f"key {key} is revoked", err=True)
    return exits.DONE


def _line(key: KeyRow) -> str:
    used = f"used {_time(key.used_at)}" if key.used_at else "never used"
    words = f"{key.id}  {key.prefix}…  {key.name}  tenant {key.tenant_id}  {','.join(sorted(key.scopes))}  {used}"
    if key.revoked_at:
        return f"{words}  revoked {_time(key.revoked_at)}"
    return f"{words}  {'expires' if key.live else 'expired'} {_time(key.expires_at)}" if key.expires_at else words


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
