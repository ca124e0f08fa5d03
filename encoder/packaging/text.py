"""Subtitles of a package: each track is one file of WebVTT in a folder of its own, which both manifests name.

They are small, and players read them whole; cut into segments they would be hundreds of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from encoder.model.base import Record
from encoder.packaging.languages import tag
from encoder.packaging.track import PLAYLIST, Segments, Written

FILE = "subtitles.vtt"
GROUP = "subtitles"
MIME_TYPE = "text/vtt"
ROLE = "urn:mpeg:dash:role:2011"
_HEAD = "WEBVTT"


class Text(Record):
    """One track, as planned."""

    name: str  # of the folder: "subtitles-eng"
    language: str | None = None  # three letters
    default: bool = False  # players show it by themselves
    forced: bool = False  # shown also to those who want none

    @property
    def file(self) -> str:
        return f"{self.name}/{FILE}"

    @property
    def playlist(self) -> str:
        return f"{self.name}/{PLAYLIST}"


def seconds(written: Sequence[Written]) -> Fraction:
    """How long a track of subtitles is: as all of the package."""
    return max(track.duration_seconds for track in written)


def head(segments: Segments, origin: int) -> str:
    """How a file begins. `origin`: what time stamps say at the package's zero; where they count from it, nothing."""
    if segments != "ts":
        return f"{_HEAD}\n"
    return f"{_HEAD}\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:{origin}\n"


def headed(text: str, segments: Segments, origin: int) -> str:
    """A file with that beginning (RFC 8216, 3.5)."""
    return head(segments, origin) + text.removeprefix(f"{_HEAD}\n")


def label(text: Text, among: Sequence[Text]) -> str:
    """What a player's menu calls it: none of `among` is called alike."""
    names = [_name(each) for each in among]
    own = _name(text)
    return own if names.count(own) == 1 else f"{own} ({text.name})"


def taken(texts: Sequence[Text]) -> list[Text]:
    """Those that a player may take by the language of its user: one of each, the default before others."""
    first: dict[tuple[str | None, bool], Text] = {}
    for text in sorted(texts, key=lambda text: not text.default):
        first.setdefault((text.language, text.forced), text)
    return list(first.values())


def adaptation_set(period: Element, number: int, text: Text, among: Sequence[Text], bandwidth_bps: int) -> None:
    """Of a DASH manifest: a file beside the segments (ISO/IEC 23009-1, 5.3.9.2)."""
    attributes = {"id": str(number), "contentType": "text", "mimeType": MIME_TYPE}
    if text.language:
        attributes["lang"] = tag(text.language)
    inside = SubElement(period, "AdaptationSet", attributes)
    SubElement(inside, "Label").text = label(text, among)
    for role in roles(text):
        SubElement(inside, "Role", {"schemeIdUri": ROLE, "value": role})
    representation = SubElement(inside, "Representation", {"id": text.name, "bandwidth": str(bandwidth_bps)})
    SubElement(representation, "BaseURL").text = text.file


def roles(text: Text) -> list[str]:
    """What DASH says of it: its scheme has a word for forced ones, and for what is shown by itself."""
    return ["forced-subtitle" if text.forced else "subtitle", *(["main"] if text.default else [])]


def _name(text: Text) -> str:
    own = tag(text.language) if text.language else text.name
    return f"{own} (forced)" if text.forced else own
