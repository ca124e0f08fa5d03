"""Times as people write them on the command line."""

from __future__ import annotations

from datetime import datetime

import click


def moment(text: str) -> str:
    """A time as the API takes it.

    Raises:
        click.BadParameter: it is none, or says no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time such as 2026-11-20T13:00:00Z.") from None
    if at.tzinfo is None:
        raise click.BadParameter(f"{text!r} must say its zone, as 2026-11-20T13:00:00Z does.")
    return at.isoformat()
