"""What `PUT /presets/{name}` takes: a preset of a tenant's own, checked as an output of it will be."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from encoder.api.wire_faults import Reader, below
from encoder.api.wire_output import Members
from encoder.api.wire_subtitles import Asked, Subtitles
from encoder.api.wire_types import ABSENT, Wire, fault, plain
from encoder.errors import Fault, Rejected
from encoder.ffmpeg import presets, rules
from encoder.model.base import Json
from encoder.store.text import json_text

MAX_BYTES = 16 * 1024  # of its members as JSON
_LONGEST_ABOUT = 200


def _without_files(subtitles: str | Subtitles) -> str | Subtitles:
    if isinstance(subtitles, Subtitles) and subtitles.files is not ABSENT:
        raise fault("unsupported_combination", "must not stand in a preset, which holds no places", member="files")
    return subtitles


class PresetMembers(Members):
    """Members of an output, but no places: neither `destination` nor what would be read beside the source.

    `preset` may name a built-in one, whose members these are laid over.
    """

    subtitles: Annotated[Asked, AfterValidator(_without_files)] = ABSENT


class Preset(Wire):
    """A preset of one's own: it takes the place of the one that has its name."""

    about: Annotated[str, Field(max_length=_LONGEST_ABOUT, description="for people"), AfterValidator(plain)] = ""
    members: PresetMembers


_PRESET: Reader[Preset] = Reader(Preset)


def read_preset(body: Json) -> tuple[str, dict[str, Json]]:
    """What it is about, and its members as they are kept.

    Raises:
        errors.Rejected: every fault of it, by the rules of an output, one per place.
    """
    preset, faults = _PRESET.read(body)
    if preset is None:
        raise Rejected(*faults)
    members = preset.members.members()
    faults = list(below("/members", rules.check(presets.merge({}, presets.whole(members)))))
    if len(json_text(members)) > MAX_BYTES:
        faults.append(Fault(path="/members", code="out_of_range", message=f"must be at most {MAX_BYTES} bytes of JSON"))
    if faults:
        raise Rejected(*faults)
    return preset.about, members
