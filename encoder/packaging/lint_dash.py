"""Holds an MPD against the bytes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree import ElementTree as ET

from encoder.packaging import dash
from encoder.packaging.boxes import broken
from encoder.packaging.findings import Findings
from encoder.packaging.hls import default
from encoder.packaging.languages import tag
from encoder.packaging.lint_hls import bandwidth
from encoder.packaging.track import Written

_IN = {"mpd": dash.NAMESPACE}
_MILLISECOND = Fraction(1, 1000)


def lint(found: Findings, written: Sequence[Written], name: str) -> None:
    """Raises errors.Permanent: `output_invalid`, it cannot be read at all."""
    found.named.add(name)
    try:
        mpd = ET.fromstring(found.text(name))  # noqa: S314  # we wrote it, after ffmpeg had ended
    except ET.ParseError as error:
        raise broken(f"{name} is not XML") from error
    found.same("endlist", name, mpd.get("type"), "static")
    longest = max(track.seconds(track.segments[-1].start + track.segments[-1].duration) for track in written)
    told = _seconds(mpd.get("mediaPresentationDuration", ""))
    found.must("duration", longest <= told <= longest + _MILLISECOND, f"{name}: {float(told)} s, not {float(longest)}")
    tracks = {track.name: track for track in written}
    media = [each for each in mpd.findall(".//mpd:AdaptationSet", _IN) if each.get("contentType") != "text"]
    sets = [(around, around.findall("mpd:Representation", _IN)) for around in media]
    inside = [each.get("id", "") for _, several in sets for each in several]
    found.same("tracks", name, sorted(inside), sorted(tracks))
    sound = [track for track in written if track.track.kind == "audio"]
    for around, several in sets:
        for each in several:
            if (track := tracks.get(each.get("id", ""))) is None:
                continue
            if track.track.language:
                found.same("language", f"{name}, {track.name}", around.get("lang"), tag(track.track.language))
            if track.track.kind == "audio":
                found.must("group", len(several) == 1, f"{name}, {track.name}: is in one set with others")
                _choice(found, f"{name}, {track.name}", around, main=track is default(sound))
            _representation(found, name, each, track)


def _choice(found: Findings, place: str, around: ET.Element, *, main: bool) -> None:
    """By what a player chooses among sounds."""
    roles = [role.get("value") for role in around.findall("mpd:Role", _IN)]
    found.same("default", place, roles, ["main" if main else "alternate"])


def _representation(found: Findings, name: str, each: ET.Element, track: Written) -> None:
    place = f"{name}, {track.name}"
    found.same("codecs", place, each.get("codecs"), track.codec)
    bandwidth(found, place, int(each.get("bandwidth", "0")), track.rates.peak_bps)
    if track.track.kind == "video":
        found.same("resolution", place, (each.get("width"), each.get("height")), tuple(map(str, track.size_px)))
        if track.track.rate:
            found.same("frame_rate", place, Fraction(each.get("frameRate", "0")), Fraction(track.track.rate))
    if track.track.channels:
        told = [config.get("value") for config in each.findall("mpd:AudioChannelConfiguration", _IN)]
        found.same("channels", place, told, [str(track.track.channels)])
    template = each.find("mpd:SegmentTemplate", _IN)
    if template is None:
        raise broken(f"{place} has no segments")
    _template(found, name, template, track)


def _template(found: Findings, name: str, template: ET.Element, track: Written) -> None:
    timeline = _timeline(template)
    found.name(_filled(template.get("initialization", ""), track, 0), by=name)
    first = int(template.get("startNumber", "1"))
    names = [_filled(template.get("media", ""), track, first + place) for place in range(len(timeline))]
    for each in names:
        found.name(each, by=name)
    found.same("order", f"{name}, {track.name}", names, [f"{track.name}/{each.name}" for each in track.segments])
    true = [(track.seconds(each.start), track.seconds(each.duration)) for each in track.segments]
    found.must("extinf", timeline == true, f"{name}, {track.name}: the timeline is not that of the segments")


def _timeline(template: ET.Element) -> list[tuple[Fraction, Fraction]]:
    """Start and duration of each segment, in seconds."""
    timescale = int(template.get("timescale", "1"))
    at, found = 0, []
    for run in template.findall("mpd:SegmentTimeline/mpd:S", _IN):
        at, duration = int(run.get("t", at)), int(run.get("d", "0"))
        for _ in range(int(run.get("r", "0")) + 1):
            found.append((Fraction(at, timescale), Fraction(duration, timescale)))
            at += duration
    return found


def _filled(template: str, track: Written, number: int) -> str:
    """ISO/IEC 23009-1, 5.3.9.4.4."""
    head, _, rest = template.replace("$RepresentationID$", track.name).partition("$Number%0")
    width, _, tail = rest.partition("d$")
    return f"{head}{number:0{int(width)}}{tail}" if rest else head


def _seconds(duration: str) -> Fraction:
    if not (duration.startswith("PT") and duration.endswith("S")):
        raise broken(f"{duration!r} is no duration")
    return Fraction(duration[2:-1])
