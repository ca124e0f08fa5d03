"""The text of a DASH manifest (ISO/IEC 23009-1): static, with one number per segment and every duration exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd
from types import MappingProxyType
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from encoder.packaging.hls import default, label
from encoder.packaging.languages import tag
from encoder.packaging.text import Text, adaptation_set
from encoder.packaging.track import INIT, SUFFIXES, Segment, TrackKind, Written

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_PROFILE = "urn:mpeg:dash:profile:isoff-live:2011"  # segments by number; says nothing of a live stream
_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_ROLE = "urn:mpeg:dash:role:2011"


def manifest(
    written: Sequence[Written], texts: Sequence[Text] = (), sizes: Mapping[str, int] = MappingProxyType({})
) -> str:
    """All tracks: one adaptation set for the pictures of one codec, one for each track of sound, and of subtitles.

    `sizes`: of the files of `texts`, by their names.
    """
    seconds = max(_end(track) for track in written)
    longest = max(track.seconds(segment.duration) for track in written for segment in track.segments)
    mpd = Element("MPD", {
        "xmlns": NAMESPACE,
        "profiles": _PROFILE,
        "type": "static",
        "mediaPresentationDuration": _duration(seconds),
        "maxSegmentDuration": _duration(longest),
        "minBufferTime": _duration(longest),
    })  # fmt: skip
    chosen = [default(of_kind) for of_kind in (_of(written, "video"), _of(written, "audio")) if of_kind]
    period = SubElement(mpd, "Period", {"id": "0", "start": "PT0S", "duration": _duration(seconds)})
    for number, tracks in enumerate(_sets(written)):
        inside = _adaptation_set(period, number, tracks)
        if tracks[0].track.kind == "audio":
            SubElement(inside, "Label").text = label(tracks[0], _of(written, "audio"))
        SubElement(inside, "Role", {"schemeIdUri": _ROLE, "value": "main" if tracks[0] in chosen else "alternate"})
        for track in tracks:
            _representation(inside, track)
    for number, text in enumerate(texts, len(_sets(written))):
        rate = -(-sizes[text.name] * 8 // seconds)
        adaptation_set(period, number, text, texts, int(rate))
    indent(mpd)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(mpd, encoding="unicode") + "\n"


class _Run(NamedTuple):
    """Segments of one duration, each where the one before it ends."""

    start: int
    duration: int
    repeats: int  # after the first

    @property
    def end(self) -> int:
        return self.start + self.duration * (self.repeats + 1)


def _sets(written: Sequence[Written]) -> list[list[Written]]:
    """Players switch within a set: so pictures of one codec, of whatever profile; and never between languages."""
    pictures: dict[str, list[Written]] = {}
    for track in _of(written, "video"):
        pictures.setdefault(track.codec.split(".")[0], []).append(track)
    return [*pictures.values(), *([track] for track in _of(written, "audio"))]


def _of(written: Sequence[Written], kind: TrackKind) -> list[Written]:
    return [track for track in written if track.track.kind == kind]


def _adaptation_set(period: Element, number: int, tracks: Sequence[Written]) -> Element:
    plan = tracks[0].track
    attributes = {
        "id": str(number),
        "contentType": plan.kind,
        "mimeType": f"{plan.kind}/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }
    if plan.language:
        attributes["lang"] = tag(plan.language)
    if plan.kind == "video":
        attributes["maxWidth"] = str(max(track.size_px[0] for track in tracks))
        attributes["maxHeight"] = str(max(track.size_px[1] for track in tracks))
        attributes["par"] = _ratio(*tracks[0].size_px)
    return SubElement(period, "AdaptationSet", attributes)


def _representation(inside: Element, track: Written) -> None:
    plan = track.track
    attributes = {"id": plan.name, "codecs": track.codec, "bandwidth": str(track.rates.peak_bps)}
    if plan.kind == "video":
        width, height = track.size_px
        attributes |= {"width": str(width), "height": str(height), "sar": "1:1"}
        attributes |= {"frameRate": _frame_rate(plan.rate)} if plan.rate else {}
    elif track.sample_rate_hz:
        attributes["audioSamplingRate"] = str(track.sample_rate_hz)
    representation = SubElement(inside, "Representation", attributes)
    if plan.channels:
        SubElement(representation, "AudioChannelConfiguration", {"schemeIdUri": _CHANNELS, "value": str(plan.channels)})
    _template(representation, track)


def _template(representation: Element, track: Written) -> None:
    suffix = SUFFIXES[track.container]
    first = track.segments[0].name.removesuffix(suffix)
    template = SubElement(representation, "SegmentTemplate", {
        "timescale": str(track.timescale),
        "initialization": f"$RepresentationID$/{INIT}",
        "media": f"$RepresentationID$/$Number%0{len(first)}d${suffix}",
        "startNumber": str(int(first)),
    })  # fmt: skip
    timeline = SubElement(template, "SegmentTimeline")
    for run in _runs(track.segments):
        line = {"t": str(run.start), "d": str(run.duration)}
        SubElement(timeline, "S", line | {"r": str(run.repeats)} if run.repeats else line)


def _runs(segments: Iterable[Segment]) -> list[_Run]:
    runs: list[_Run] = []
    for segment in segments:
        if runs and segment.duration == runs[-1].duration and segment.start == runs[-1].end:
            runs[-1] = runs[-1]._replace(repeats=runs[-1].repeats + 1)
        else:
            runs.append(_Run(segment.start, segment.duration, 0))
    return runs


def _end(track: Written) -> Fraction:
    return track.seconds(track.segments[-1].start + track.segments[-1].duration)


def _duration(seconds: Fraction) -> str:
    """Rounded up: a player stops there."""
    return f"PT{-(-seconds * 1000 // 1) / 1000:.3f}S"


def _frame_rate(rate: str) -> str:
    exact = Fraction(rate)
    return str(exact.numerator) if exact.denominator == 1 else f"{exact.numerator}/{exact.denominator}"


def _ratio(width: int, height: int) -> str:
    by = gcd(width, height) or 1
    return f"{width // by}:{height // by}"
