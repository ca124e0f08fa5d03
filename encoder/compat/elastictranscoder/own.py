"""Presets of a tenant's own in the place of Elastic Transcoder's, and those of its form put into ours."""

from __future__ import annotations

from collections.abc import Mapping

from encoder.compat.elastictranscoder import system
from encoder.compat.elastictranscoder.preset import Preset
from encoder.model.base import Json

PICTURES = ".thumbnails"  # behind a preset's name: the one that its jobs' pictures are made by
_THEIRS = {"mpegts": "ts"}


def of_ours(name: str, members: Mapping[str, Json], pictures: Mapping[str, Json] | None) -> Preset:
    """`members` and `pictures`: whole, of two presets of ours. Watermarks are as usual; so are unsaid pictures."""
    usual = system.usual()
    container = str(members["container"])
    return Preset(
        name=name,
        container=_THEIRS.get(container, container),
        members={member: value for member, value in members.items() if member != "container"},
        thumbnails=usual.thumbnails if pictures is None else pictures,
        watermarks=usual.watermarks,
    )
