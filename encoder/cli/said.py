"""JSON that a caller hands over in a file."""

from __future__ import annotations

import json
from typing import TextIO

import click

from encoder.cli.refused import Object
from encoder.cli.text import clean


def object_of(file: TextIO) -> Object:
    """The one JSON object that `file` holds."""
    try:
        said = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"{clean(file.name)} is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise click.UsageError(f"{clean(file.name)} holds no JSON object.")
    return said
