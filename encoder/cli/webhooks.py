"""Who is told of jobs: endpoints."""

from __future__ import annotations

import json
from pathlib import Path

import click

from encoder import errors
from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.deliveries import deliveries, replay
from encoder.cli.listen import listen
from encoder.cli.refused import Object
from encoder.cli.serve import at_home
from encoder.cli.session import Out, remote
from encoder.cli.text import clean
from encoder.model.base import Json
from encoder.model.ids import DEFAULT_TENANT, TenantId


@click.group()
def webhooks() -> None:
    """Say who is told of jobs; see what was told to whom, and tell it again."""


webhooks.add_command(deliveries)
webhooks.add_command(replay)
webhooks.add_command(listen)


@webhooks.command()
@remote
async def endpoints(client: Client, out: Out) -> int:
    """List the receivers that are told of every job."""
    found = await client.endpoints()
    for endpoint in found:
        if out.as_json:
            out.data(endpoint)
        else:
            out.line(_line(endpoint))
    if not found:
        out.next("There is none. Make one", "webhooks", "put", "NAME", "--to", "https://…")
    return exits.DONE


@webhooks.command()
@click.argument("name")
@click.option("--to", "address", required=True, metavar="URL", help="Where events are posted to.")
@click.option("--event", "events", multiple=True, metavar="TYPE", help="Only this type; may be said again.")
@click.option(
    "--format", "form", metavar="FORMAT", help="standard, mediaconvert, elastictranscoder or coconut.  [else: standard]"
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the format.")
@click.option("--disabled", is_flag=True, help="Tell it nothing, for now.")
@remote
async def put(  # noqa: PLR0913  # one per option
    client: Client,
    out: Out,
    *,
    name: str,
    address: str,
    events: tuple[str, ...],
    form: str | None,
    settings: tuple[str, ...],
    disabled: bool,
) -> int:
    """Make an endpoint, or replace one: all but its secret.

    What is not named is then as for a new one, not as it was. The secret of a new one is shown now and never again.
    """
    said: Object = {"url": address, "enabled": not disabled}
    if events:
        said["events"] = list(events)
    if form:
        said["format"] = form
    if settings:
        said["settings"] = _settings(settings)
    _told(await client.put_endpoint(name, said), out)
    out.next("See whether it arrives", "webhooks", "test", name)
    return exits.DONE


def _settings(said: tuple[str, ...]) -> dict[str, Json]:
    if not all("=" in each for each in said):
        raise click.UsageError("--set takes NAME=VALUE.")
    named = (each.partition("=") for each in said)
    return {name: value for name, _, value in named}


@webhooks.command()
@click.argument("name", shell_complete=complete.endpoints)
@click.option(
    "--keep-hours", type=click.IntRange(24, 720), default=24, show_default=True, help="How long the old one signs, too."
)
@remote
async def rotate(client: Client, out: Out, *, name: str, keep_hours: int) -> int:
    """Give an endpoint a new secret, which is shown now and never again."""
    _told(await client.rotate_endpoint(name, keep_hours), out)
    out.next("See whether it arrives", "webhooks", "test", name)
    return exits.DONE


@webhooks.command()
@click.argument("names", nargs=-1, required=True, shell_complete=complete.endpoints)
@remote
async def remove(client: Client, out: Out, *, names: tuple[str, ...]) -> int:
    """Remove endpoints. What waits for one is told to nobody."""
    for name in names:
        await client.remove_endpoint(name)
        out.removed(name)
    return exits.DONE


@webhooks.command()
@click.argument("name", shell_complete=complete.endpoints)
@remote
async def test(client: Client, out: Out, *, name: str) -> int:
    """Tell an endpoint of a job that there never was, the way that all is told."""
    made = await client.test_endpoint(name)
    if out.as_json:
        out.data(made)
    else:
        out.line(f"delivery {made.get('deliveryId')}")
    out.next("See what became of it", "webhooks", "deliveries", "--endpoint", name, "--event", "endpoint.test")
    return exits.DONE


@webhooks.command()
@click.option(
    "--tenant", type=click.IntRange(min=1), default=DEFAULT_TENANT, show_default=True, help="Who is to be given it."
)
@at_home
@click.option("--json", "as_json", is_flag=True, help="One JSON object per secret.")
def secret(tenant: int, data: Path, *, as_json: bool) -> int:
    """Print what signs for the `notificationUrl` of a tenant's jobs: to be given to its receivers, the newest first.

    It is the operator's (ENCODER_WEBHOOK_SECRET, else that of the data folder), as this tenant has it.
    """
    from encoder import settings  # noqa: PLC0415  # pydantic is slow to load, and most commands need none
    from encoder.webhooks import sign  # noqa: PLC0415  # as is cryptography

    kept = data / "webhook-secret"
    try:
        listed = [each.get_secret_value() for each in settings.load().webhook_secret]
        listed = listed or ([kept.read_text().strip()] if kept.exists() else [])
        for each in listed:
            told = sign.tenant_secret(sign.checked(each), TenantId(tenant))
            click.echo(json.dumps({"tenantId": tenant, "secret": told}) if as_json else told)
    except errors.Unfit as error:
        raise exits.Wrong(clean(error)) from error
    if not listed:
        raise exits.Wrong(f"there is none: ENCODER_WEBHOOK_SECRET is not set, and {clean(data)} holds none.")
    return exits.DONE


def _told(endpoint: Object, out: Out) -> None:
    if out.as_json:
        out.data(endpoint)
        return
    out.line(_line(endpoint))
    if endpoint.get("secret"):
        out.line(clean(endpoint["secret"]))
        out.note("This secret is shown once: keep it where the receiver finds it.")


def _line(endpoint: Object) -> str:
    events = endpoint.get("events")
    wanted = ",".join(map(str, events)) if isinstance(events, list) and events else "all that its format tells"
    state = "" if endpoint.get("enabled") else "  disabled"
    return clean(f"{endpoint.get('name')}  {endpoint.get('url')}  {endpoint.get('format')}  {wanted}{state}")
