"""Which members of a package go together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from encoder.errors import Fault
from encoder.ffmpeg import codecs, containers, ladder
from encoder.ffmpeg.containers import Container
from encoder.model.job import OutputSpec, Rendition

SEGMENT_FORMATS = ("fmp4", "ts")
ENCRYPTIONS = ("aes-128",)
LEAST_SEGMENT_S, MOST_SEGMENT_S = 1, 30
MOST_RENDITIONS = 12
_NAMES = {"hls": ".m3u8", "dash": ".mpd", "cmaf": ".m3u8"}
_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OF_PACKAGES = {
    "renditions": "renditions",
    "segmentSeconds": "segment_seconds",
    "segmentFormat": "segment_format",
    "playlistName": "playlist_name",
    "encryption": "encryption",
}
# what each rendition says for itself; a quality may be that of all
_OF_RENDITIONS = {
    "width": "width",
    "height": "height",
    "videoBitrate": "video_bitrate",
    "maxBitrate": "max_bitrate",
}
_OF_A_RENDITION = {**_OF_RENDITIONS, "crf": "crf", "resolution": "resolution"}


def check(spec: OutputSpec, container: Container) -> Iterator[Fault]:
    """The faults of an output's package members, or of those of a package that it cannot have."""
    if not container.package:
        for member, field in _OF_PACKAGES.items():
            if getattr(spec, field):
                yield _fault(member, f"only packages have it: {', '.join(_NAMES)}")
        return
    yield from _whole(spec)
    yield from _segments(spec)
    yield from _name(spec)
    if spec.encryption and spec.container != "hls":
        yield _fault("encryption", f"only HLS has it: players of {spec.container} know none of AES-128")
    if spec.renditions:
        for member, field in _OF_RENDITIONS.items():
            if getattr(spec, field) is not None:
                yield _fault(member, "each of `renditions` has its own")
    if len(spec.renditions) > MOST_RENDITIONS:
        yield _fault("renditions", f"at most {MOST_RENDITIONS}", code="out_of_range")
    for place, rendition in enumerate(spec.renditions):
        yield from _size(f"renditions/{place}", rendition)


def said(rendition: Rendition) -> set[str]:
    """The members that a rendition has."""
    return {member for member, field in _OF_A_RENDITION.items() if getattr(rendition, field) is not None}


def _fault(member: str, message: str, *, code: str = "unsupported_combination") -> Fault:
    return Fault(path=f"/{member}", code=code, message=message)


def _whole(spec: OutputSpec) -> Iterator[Fault]:
    """All of it is made anew: what is copied has keyframes where it likes."""
    if spec.video_codec in (codecs.COPY, codecs.NONE):
        yield _fault("videoCodec", "a package has pictures whose keyframes lie on one grid: they are encoded")
    if spec.audio_codec == codecs.COPY:
        yield _fault("audioCodec", "the sound of a package is encoded")


def _segments(spec: OutputSpec) -> Iterator[Fault]:
    seconds = spec.segment_seconds
    if seconds is not None and not LEAST_SEGMENT_S <= seconds <= MOST_SEGMENT_S:
        yield _fault("segmentSeconds", f"{LEAST_SEGMENT_S} to {MOST_SEGMENT_S}", code="out_of_range")
    if (spec.keyframe_interval or 0) > (longest := seconds or ladder.SEGMENT_SECONDS):
        yield _fault("keyframeInterval", f"each segment begins with a keyframe: at most {longest:g} s")
    if spec.segment_format not in (None, *SEGMENT_FORMATS):
        yield _fault("segmentFormat", f"one of {', '.join(SEGMENT_FORMATS)}", code="invalid_value")
    elif spec.segment_format == "ts":
        held = containers.CONTAINERS["mpegts"].video
        wanted = codecs.video_encoders(spec.video_codec or held[0])
        if spec.container != "hls":
            yield _fault("segmentFormat", f"{spec.container} has segments of fmp4")
        elif wanted and wanted[0].codec not in held:
            yield _fault("segmentFormat", f"ts holds h264 and hevc, not {wanted[0].codec}")
        elif (sound := codecs.audio_encoder(spec.audio_codec or "aac")) and sound.codec != "aac":
            yield _fault("segmentFormat", f"ts holds aac, not {sound.codec}")


def _name(spec: OutputSpec) -> Iterator[Fault]:
    ending, name = _NAMES[spec.container], spec.playlist_name
    if name is None:
        return
    if not name.endswith(ending) or not _STEM.fullmatch(name.removesuffix(ending)):
        told = f"letters, digits, `-` and `_`, at most 64, and then `{ending}`"
        yield _fault("playlistName", told, code="invalid_value")


def _size(place: str, rendition: Rendition) -> Iterator[Fault]:
    if rendition.resolution is None:
        return
    if not ladder.RESOLUTION.fullmatch(rendition.resolution):
        yield _fault(f"{place}/resolution", 'the short side, such as "720p"', code="invalid_value")
    if rendition.width or rendition.height:
        yield _fault(f"{place}/resolution", "either a resolution or width and height, not both")
