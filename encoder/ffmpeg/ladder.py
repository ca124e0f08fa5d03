"""The rungs of a package: which pictures it holds, from those that were asked for and the one that there is."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import count

from encoder.ffmpeg import geometry, presets
from encoder.ffmpeg.case import Case
from encoder.model.base import from_json, replace
from encoder.model.job import OutputSpec, Rendition
from encoder.model.media import VideoStream

RESOLUTION = re.compile(r"([1-9][0-9]{1,3})p")
# a preset cannot know the source: more bits than these would only be wasted on it (PeerTube's cap)
_MOST_OF_SOURCE = 1.3
SEGMENT_SECONDS = 6  # Apple's authoring specification
# what a rung's file is, by what its segments are
SINGLE = {"fmp4": "mp4", "ts": "mpegts"}


def output_of(spec: OutputSpec, rendition: Rendition, *, portrait: bool = False) -> OutputSpec:
    """One rung of a package as the single file that it is judged as."""
    width, height = rendition.width, rendition.height
    named = RESOLUTION.fullmatch(rendition.resolution or "")
    if named:
        width, height = (int(named[1]), None) if portrait else (None, int(named[1]))
    sized = {"width": width, "height": height} if width or height else {}
    rated: dict[str, object] = {}
    if rendition.crf is not None or rendition.video_bitrate is not None:  # one of them takes the other's place
        rated = {"crf": rendition.crf, "video_bitrate": rendition.video_bitrate}
    if rendition.max_bitrate is not None:
        rated["max_bitrate"] = rendition.max_bitrate
    return replace(spec, container=SINGLE[segments_of(spec)], renditions=(), **sized, **rated)


def pixels_of(rendition: Rendition) -> int:
    """About how many pixels a picture of a package has, as far as what was asked tells: by its name, one of 16:9."""
    named = RESOLUTION.fullmatch(rendition.resolution or "")
    lines = int(named[1]) if named else 0
    return lines * lines * 16 // 9 or (rendition.width or 0) * (rendition.height or 0)


def segments_of(spec: OutputSpec) -> str:
    """How the segments of a package are written."""
    return spec.segment_format if spec.segment_format in SINGLE else "fmp4"


def rungs(case: Case, stream: VideoStream, *, least_px: int) -> dict[str, OutputSpec]:
    """The pictures of a package by their names, in the order in which they were asked for.

    Those that are larger than the source are left out; if all are, the source's own size is made.
    """
    shown = stream.display_width_px, stream.display_height_px
    if (case.spec.rotate or 0) % 180:
        shown = shown[1], shown[0]
    wanted = [
        _capped(case, stream, output_of(case.spec, rendition, portrait=shown[0] < shown[1]))
        for rendition in case.spec.renditions or (Rendition(),)
    ]
    fitting = [spec for spec in wanted if not geometry.fitted(shown, spec).too_small]
    for spec in wanted:
        if spec not in fitting:
            asked = "×".join(str(side) for side in (spec.width, spec.height) if side)
            case.because("rung_left_out", f"Shown at {shown[0]}×{shown[1]}: a rung of {asked} would enlarge it.")
    if not fitting:
        case.because("source_size", "No rung is as small as the source: one is made at the source's size.")
        fitting = [replace(_smallest(wanted), width=None, height=None, fit="contain")]
    named: dict[str, OutputSpec] = {}
    for spec in fitting:
        side = min(geometry.fitted(shown, spec, least_px=least_px).size)  # as people call it
        named[unused(f"{side}p", named)] = spec
    return named


def _capped(case: Case, stream: VideoStream, spec: OutputSpec) -> OutputSpec:
    """A preset's bitrate is no wish of the caller's: it is held to what the source is worth."""
    source_bps = stream.bitrate_bps or case.media.bitrate_bps
    if spec.video_bitrate is None or not source_bps or not _of_preset(case.spec):
        return spec
    most_bps = int(source_bps * _MOST_OF_SOURCE)
    if spec.video_bitrate <= most_bps:
        return spec
    told = f"{spec.video_bitrate} bit/s are more than the source is worth: {most_bps}."
    case.because("bitrate_capped", told)
    return replace(spec, video_bitrate=most_bps, max_bitrate=None)


def _of_preset(spec: OutputSpec) -> bool:
    preset = presets.BUILT_IN.get(spec.preset or "")
    return preset is not None and from_json(OutputSpec, {**preset.members}).renditions == spec.renditions


def _smallest(specs: list[OutputSpec]) -> OutputSpec:
    return min(specs, key=lambda spec: min(side for side in (spec.width, spec.height) if side))


def unused(name: str, taken: Container[str]) -> str:
    """The name of a folder, with a number where others have it already."""
    again = (f"{name}-{number}" for number in count(2))
    return name if name not in taken else next(other for other in again if other not in taken)
