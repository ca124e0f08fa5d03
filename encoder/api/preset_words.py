"""What `PUT /presets/{name}` takes, in our own words or in Elastic Transcoder's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from encoder.api.wire_faults import distinct
from encoder.api.wire_preset import read_preset
from encoder.compat.elastictranscoder import own
from encoder.errors import Rejected
from encoder.model.base import Json
from encoder.model.plan import Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`beside`: what stands beside it, by what its name has behind this one's; None: nothing may stand there."""

    about: str
    members: dict[str, Json]
    beside: Mapping[str, dict[str, Json] | None]
    warnings: tuple[Note, ...] = ()


def read(body: Json) -> Said:
    """A preset, in whichever words it is.

    Raises:
        errors.Rejected: every fault of it, at the caller's own members.
    """
    if isinstance(body, dict) and own.is_theirs(body):
        return _theirs(own.kept(body))
    about, members = read_preset(body)
    return Said(about=about, members=members, beside={})


def _theirs(kept: own.Kept) -> Said:
    """By the one check of all presets: of itself, and of that for the pictures of its jobs."""
    try:
        about, members = read_preset({"about": kept.about, "members": kept.members})
    except Rejected as wrong:
        raise Rejected(*distinct(own.led_back(wrong.faults))) from wrong
    try:
        pictures = None if kept.pictures is None else read_preset({"members": kept.pictures})[1]
    except Rejected as wrong:
        raise Rejected(*distinct(own.led_back(wrong.faults, "/Thumbnails"))) from wrong
    return Said(about=about, members=members, beside={own.PICTURES: pictures}, warnings=kept.warnings)
