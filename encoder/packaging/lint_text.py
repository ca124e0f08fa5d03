"""Holds what manifests say of subtitles against the files, and what was planned."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from encoder.packaging import text
from encoder.packaging.boxes import broken
from encoder.packaging.findings import Findings
from encoder.packaging.languages import tag
from encoder.packaging.lint_hls import CLOCK_SECONDS, YES_OR_NO, exact_seconds, parsed
from encoder.packaging.text import FILE, Text
from encoder.packaging.track import Written

_IN = {"mpd": "urn:mpeg:dash:schema:mpd:2011"}


def files(found: Findings, texts: Sequence[Text], written: Sequence[Written]) -> None:
    """Each is there, and begins as players of such segments need it."""
    first = written[0]
    for each in texts:
        wanted = text.head(first.container, first.origin)
        begins = found.text(each.file).startswith(f"{wanted}\n")
        found.must("start", begins, f"{each.file}: does not begin with {wanted!r}")


def hls(found: Findings, texts: Sequence[Text], written: Sequence[Written], name: str) -> None:
    """Raises errors.Permanent: `output_invalid`, a playlist cannot be read at all."""
    playlist = parsed(found, name, written[0].container)
    named = {media.uri or "": media for media in playlist.media if media.type == "SUBTITLES"}
    found.same("tracks", f"{name}, subtitles", sorted(named), sorted(each.playlist for each in texts))
    for variant in playlist.playlists:
        group = variant.stream_info.subtitles
        found.same("group", f"{variant.uri}, subtitles", group, text.GROUP if texts else None)
    for each in texts:
        media = named.get(each.playlist)
        if media is None:
            continue
        told = (media.language, media.default, media.autoselect, media.forced, media.group_id, media.name)
        true = (
            tag(each.language) if each.language else None,
            YES_OR_NO[each.default],
            YES_OR_NO[each in text.taken(texts)],
            YES_OR_NO[each.forced],
            text.GROUP,
            text.label(each, texts),
        )
        for fault, one, other in zip(_SAID, told, true, strict=True):
            found.same(fault, each.playlist, one, other)
        _media_playlist(found, each, written)


_SAID = ("language", "default", "default", "forced", "group", "name")


def dash(found: Findings, texts: Sequence[Text], name: str) -> None:
    """Raises errors.Permanent: `output_invalid`, it cannot be read at all."""
    try:
        mpd = ET.fromstring(found.text(name))  # noqa: S314  # we wrote it, after ffmpeg had ended
    except ET.ParseError as error:
        raise broken(f"{name} is not XML") from error
    sets = [each for each in mpd.findall(".//mpd:AdaptationSet", _IN) if each.get("contentType") == "text"]
    inside = {each.get("id", ""): around for around in sets for each in around.findall("mpd:Representation", _IN)}
    found.same("tracks", f"{name}, subtitles", sorted(inside), sorted(each.name for each in texts))
    for each in texts:
        around = inside.get(each.name)
        if around is None:
            continue
        place = f"{name}, {each.name}"
        found.same("language", place, around.get("lang"), tag(each.language) if each.language else None)
        found.same("codecs", place, around.get("mimeType"), text.MIME_TYPE)
        roles = [role.get("value") for role in around.findall("mpd:Role", _IN)]
        wrong = "forced" if roles[:1] != text.roles(each)[:1] else "default"
        found.same(wrong, place, roles, text.roles(each))
        named = around.findtext("mpd:Representation/mpd:BaseURL", "", _IN)
        found.name(named, by=name)
        found.same("order", place, named, each.file)


def _media_playlist(found: Findings, each: Text, written: Sequence[Written]) -> None:
    place, whole = each.playlist, text.seconds(written)
    found.named.add(place)
    playlist = parsed(found, place, written[0].container)
    found.must("endlist", bool(playlist.is_endlist), f"{place}: has no end")
    found.same("order", place, [segment.uri for segment in playlist.segments], [FILE])
    for segment in playlist.segments:
        found.name(segment.uri or "", by=place)
        told = exact_seconds(segment.duration)
        found.must("extinf", abs(told - whole) <= CLOCK_SECONDS, f"{place}: {float(told)} s, not {float(whole)}")
        found.must("target", round(whole) <= (playlist.target_duration or 0), f"{place}: its target is too short")
