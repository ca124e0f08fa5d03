"""Presets of a tenant's own in the place of Elastic Transcoder's, and those of its form put into ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from encoder.compat.elastictranscoder import preset, system
from encoder.compat.elastictranscoder.preset import Preset
from encoder.compat.foreign import Foreign, Found
from encoder.compat.translated import notes
from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.plan import Note

PICTURES = ".thumbnails"  # behind a preset's name: the one that its jobs' pictures are made by
_THEIRS = {"mpegts": "ts"}
_OURS = {"ts": "mpegts", "fmp4": "mp4"}
_LONGEST_ABOUT = 200
_PLACES = {
    "/about": "/Description",
    "container": "/Container",
    "videoCodec": "/Video/Codec",
    "videoBitrate": "/Video/BitRate",
    "profile": "/Video/CodecOptions/Profile",
    "level": "/Video/CodecOptions/Level",
    "maxBitrate": "/Video/CodecOptions/MaxBitRate",
    "fps": "/Video/FrameRate",
    "keyframeInterval": "/Video/KeyframesMaxDist",
    "width": "/Video/MaxWidth",
    "height": "/Video/MaxHeight",
    "fit": "/Video/SizingPolicy",
    "upscale": "/Video/SizingPolicy",
    "audioCodec": "/Audio/Codec",
    "audioBitrate": "/Audio/BitRate",
    "audioSampleRate": "/Audio/SampleRate",
    "audioChannels": "/Audio/Channels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One of theirs as it is kept: as one of ours, with another beside it where pictures of jobs are made."""

    about: str
    members: dict[str, Json]
    pictures: dict[str, Json] | None
    warnings: tuple[Note, ...]


def is_theirs(body: Json) -> bool:
    """Whether `body` is a preset in their words, in order or not: no word of ours is among its members."""
    return isinstance(body, dict) and "Container" in body


def kept(body: Mapping[str, Json]) -> Kept:
    """What becomes of a preset in their words.

    Raises:
        errors.Rejected: what is wrong with it, at its own members.
    """
    found = Found()
    told = Foreign(body, "", found)
    read = preset.read(told)
    usual = system.usual().watermarks
    if any(usual.get(name) != mark for name, mark in read.watermarks.items()):
        found.unsupported("/Video/Watermarks", f"they are {', '.join(usual)}, as in the system presets")
    if found.faults:
        raise Rejected(*found.faults)
    about = told.text("Description") or told.text("Name") or ""
    return Kept(
        about=about[:_LONGEST_ABOUT],
        members={"container": _OURS.get(read.container, read.container), **read.members},
        pictures=None if read.thumbnails is None else dict(read.thumbnails),
        warnings=notes(found),
    )


def led_back(faults: Iterable[Fault], place: str = "") -> Iterator[Fault]:
    """Faults of our members, at theirs; all at `place`, if it is given."""
    for fault in faults:
        member = fault.path.removeprefix("/members/").partition("/")[0]
        yield Fault(path=place or _PLACES.get(member, ""), code=fault.code, message=fault.message)


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
