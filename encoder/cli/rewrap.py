"""Exchange of the keys that seal secrets, on the database itself."""

from __future__ import annotations

import json
from pathlib import Path

import click

from encoder.cli import exits
from encoder.cli.members import members
from encoder.cli.serve import at_home, serve


@click.command()
@at_home
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
def rewrap(data: Path, *, as_json: bool) -> int:
    """Wrap all stored secrets anew by the first of ENCODER_SECRET_KEYS, so that the others may go.

    First give all roles the new key before the old one (new,old) and start them again; then run this with the same
    setting; then take the old key away. Exit code 1: some secrets are opened by none of the keys.
    """
    from encoder.roles import operate  # noqa: PLC0415  # the whole platform hangs on it

    done = serve(lambda settings: operate.run_rewrap(settings, data=data))
    if as_json:
        click.echo(json.dumps(members(done)))
    else:
        click.echo(f"Wrapped anew: {done.done}. By the first key before: {done.kept}. Opened by none: {done.lost}.")
    return exits.FAILED if done.lost else exits.DONE
