"""The built-in presets, as data, and how an output is made of a preset and its explicit members.

Members are those of docs/reference/job.md, in its spelling: what is written here is what `GET /presets` shows and what
a preset of a user's own looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from encoder.ffmpeg import codecs, containers
from encoder.model.base import Json, from_json
from encoder.model.job import OutputSpec

Members = Mapping[str, Json]

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named set of output members. `version`: of a built-in one counted up by hand when its members change."""

    name: str
    about: str
    members: Members
    version: int = 1


_AAC: Members = {"audioCodec": "aac", "audioBitrate": 128_000}
_OPUS: Members = {"audioCodec": "libopus", "audioBitrate": 128_000}
_LADDER = ((1080, 5_000_000), (720, 3_000_000), (480, 1_500_000), (360, 800_000))
_AV1_SHARE = 0.6  # of the bits that H.264 needs


def _ladder(share: float = 1) -> list[Json]:
    return [{"resolution": f"{lines}p", "videoBitrate": int(rate * share)} for lines, rate in _LADDER]


_H264_LADDER: Members = {"videoCodec": "libx264", "encoderPreset": "medium", "renditions": _ladder(), **_AAC}

BUILT_IN: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="h264",
            about="H.264 and AAC in MP4: plays everywhere.",
            members={"container": "mp4", "videoCodec": "libx264", "encoderPreset": "medium", "crf": 23, **_AAC},
        ),
        Preset(
            name="hevc",
            about="HEVC and AAC in MP4, tagged hvc1: half the size, plays on Apple's and newer devices.",
            members={"container": "mp4", "videoCodec": "libx265", "encoderPreset": "medium", "crf": 28, **_AAC},
        ),
        Preset(
            name="vp9",
            about="VP9 and Opus in WebM: free of patents, plays in every browser.",
            members={"container": "webm", "videoCodec": "libvpx-vp9", "crf": 30, **_OPUS},
        ),
        Preset(
            name="av1",
            about="AV1 and Opus in WebM: smallest, slow to make.",
            members={"container": "webm", "videoCodec": "libaom-av1", "encoderPreset": "4", "crf": 30, **_OPUS},
        ),
        Preset(
            name="av1-fast",
            about="AV1 and Opus in WebM, by SVT-AV1: nearly as small, many times faster.",
            members={"container": "webm", "videoCodec": "libsvtav1", "encoderPreset": "8", "crf": 35, **_OPUS},
        ),
        Preset(
            name="hls",
            about="HLS of H.264 and AAC: up to four sizes on one grid, 1080p to 360p, none above the source's.",
            members={"container": "hls", **_H264_LADDER},
        ),
        Preset(
            name="hls-av1",
            about="HLS of AV1 by SVT-AV1 and AAC: the same sizes in three fifths of the bits.",
            members={
                "container": "hls",
                "videoCodec": "libsvtav1",
                "encoderPreset": "8",
                "renditions": _ladder(_AV1_SHARE),
                **_AAC,
            },
        ),
        Preset(
            name="dash",
            about="MPEG-DASH of H.264 and AAC: the sizes of `hls`.",
            members={"container": "dash", **_H264_LADDER},
        ),
        Preset(
            name="toggle-h264-hevc",
            about="The other of H.264 and HEVC, in MP4: HEVC of an H.264 source, H.264 of any other.",
            members={"container": "mp4", "videoCodec": codecs.TOGGLE, "encoderPreset": "medium", **_AAC},
        ),
        Preset(
            name="thumbnails",
            about="A picture every 10 seconds, 320 wide, JPEG.",
            members={"container": "jpg", "thumbnails": {"every": 10, "width": 320}},
        ),
        Preset(
            name="storyboard",
            about="A picture every 10 seconds, on sheets of at most 10 × 10, with a WebVTT file for players.",
            members={"container": "jpg", "thumbnails": {"every": 10, "width": 160, "sprite": True, "vtt": True}},
        ),
        Preset(
            name="gif",
            about="A short GIF: colours from the clip itself, at most 15 frames a second, the short side at most 480.",
            members={"container": "gif"},
        ),
        Preset(
            name="audio-aac",
            about="The sound alone, AAC in M4A.",
            members={"container": "m4a", "videoCodec": "none", **_AAC},
        ),
        Preset(
            name="audio-opus",
            about="The sound alone, Opus in Ogg.",
            members={"container": "opus", "videoCodec": "none", **_OPUS},
        ),
    )
}

Presets = Mapping[str, Preset]  # by their names

# An explicit member that says so is as if neither it nor the preset had said anything.
AUTO = "auto"

# What a preset says about one encoder means nothing to another: `crf` 23 of x264 is no `crf` 23 of VP9.
_OF_THE_VIDEO_ENCODER = (
    "crf",
    "encoderPreset",
    "tune",
    "profile",
    "level",
    "pixelFormat",
    "videoBitrate",
    "maxBitrate",
    "twoPass",
    "targetQuality",
)
_INSTEAD_OF = {
    "videoBitrate": ("crf", "targetQuality"),
    "crf": ("videoBitrate", "twoPass", "targetQuality"),
    "targetQuality": ("crf", "videoBitrate", "twoPass"),
}
_QUALITIES = ("crf", "targetQuality")
_MOMENTS = ("every", "count", "at")
_OF_THE_PICTURE = (
    *_OF_THE_VIDEO_ENCODER,
    "keyframeInterval",
    "width",
    "height",
    "fit",
    "upscale",
    "fps",
    "watermark",
    "chunked",
)
_OF_A_PACKAGE = ("renditions", "segmentSeconds", "segmentFormat", "playlistName", "encryption")
_OF_THE_AUDIO_ENCODER = ("audioBitrate", "audioSampleRate", "audioChannels")
_OF_THE_SOUND = (*_OF_THE_AUDIO_ENCODER, "loudness")


def merge(preset: Members, explicit: Members) -> OutputSpec:
    """The output that a preset's members and a caller's make, as `over` lays them over each other."""
    return from_json(OutputSpec, over(preset, explicit))


def over(preset: Members, explicit: Members) -> dict[str, Json]:
    """A preset's members below a caller's: an explicit member wins.

    It also takes with it what the preset said for the sake of the member that it replaces: another encoder drops the
    preset's quality, a bitrate its `crf`, channels the bitrate of its sound. Both are JSON members that the API has
    already checked.
    """
    dropped = _displaced(preset, explicit)
    kept = {member: value for member, value in preset.items() if member not in dropped}
    if not explicit.keys().isdisjoint(_QUALITIES) and "renditions" in kept:
        kept["renditions"] = _without_bitrates(kept["renditions"])
    merged = {**kept, **explicit, **_thumbnails(preset, explicit)}
    return {member: value for member, value in merged.items() if value != AUTO}


def whole(members: Members) -> Members:
    """The members of a preset of one's own, with those of the built-in one that it is made of, if it names one."""
    base = BUILT_IN.get(str(members.get("preset")))
    said = {member: value for member, value in members.items() if member != "preset"}
    return said if base is None else over(base.members, said)


def makes_folder(members: Members, known: Presets = BUILT_IN) -> bool:
    """Whether an output of these members, perhaps with a preset's, is a folder of files; they may be anything else."""
    made = _container(members, known)
    return made is not None and (made.package or pictures_in(members, known) is not None)


def pictures_in(members: Members, known: Presets = BUILT_IN) -> str | None:
    """What the pictures in the folder of such an output are called; None: it is no folder of pictures."""
    preset = known.get(str(members.get("preset")))
    said = [each["thumbnails"] for each in (members, preset.members if preset else {}) if "thumbnails" in each]
    made = _container(members, known)
    if made is None or not made.images or not said:
        return None
    names = [each["names"] for each in said if isinstance(each, dict) and isinstance(each.get("names"), str)]
    return str(names[0]) if names else "{index}"


def _container(members: Members, known: Presets) -> containers.Container | None:
    preset = known.get(str(members.get("preset")))
    container = members.get("container") or (preset.members["container"] if preset else None)
    return containers.CONTAINERS.get(str(container))


def _thumbnails(preset: Members, explicit: Members) -> Members:
    """Their own members are merged alike. A format that is asked for is the container, if none is."""
    own, said = preset.get("thumbnails"), explicit.get("thumbnails")
    if not isinstance(own, dict) or not isinstance(said, dict | None):
        own = {}
    said = said if isinstance(said, dict) else {}
    if not own and not said:
        return {}
    dropped = _displaced_thumbnails(said, explicit)
    merged = {**{member: value for member, value in own.items() if member not in dropped}, **said}
    container = {"container": said["format"]} if "format" in said and "container" not in explicit else {}
    return {"thumbnails": merged, **container}


def _displaced_thumbnails(said: Members, explicit: Members) -> set[str]:
    """Other moments displace the preset's, and a size of the whole output that of its pictures."""
    dropped: set[str] = set()
    if not said.keys().isdisjoint(_MOMENTS):
        dropped.update(_MOMENTS)
    if "at" in said or said.get("sprite") is False:
        dropped.add("vtt")
    if not explicit.keys().isdisjoint(("width", "height")):
        dropped.add("width")
    return dropped


def _without_bitrates(renditions: Json) -> Json:
    """The sizes of a ladder alone: a quality takes the place of its rates."""
    listed = renditions if isinstance(renditions, list) else []
    return [{"resolution": rung["resolution"]} for rung in listed if isinstance(rung, dict)]


def _displaced(preset: Members, explicit: Members) -> set[str]:
    dropped: set[str] = set()
    if not makes_folder({**preset, **explicit, "preset": None}):
        dropped.update(_OF_A_PACKAGE)
    if not _same_encoder(preset.get("videoCodec"), explicit.get("videoCodec")):
        still = explicit["videoCodec"] in (codecs.COPY, codecs.NONE)
        dropped.update(_OF_THE_PICTURE if still else _OF_THE_VIDEO_ENCODER)
    if not _same_encoder(preset.get("audioCodec"), explicit.get("audioCodec")):
        still = explicit["audioCodec"] in (codecs.COPY, codecs.NONE)
        dropped.update(_OF_THE_SOUND if still else _OF_THE_AUDIO_ENCODER)
    if "audioChannels" in explicit:
        dropped.add("audioBitrate")  # it was for the preset's own channels
    for control, others in _INSTEAD_OF.items():
        if control in explicit:
            dropped.update(others)
    return dropped


def _same_encoder(preset: Json, explicit: Json) -> bool:
    """True if nothing was asked, or what was asked means the preset's own encoder."""
    if explicit is None or explicit == preset:
        return True
    named = codecs.VIDEO_ENCODERS.get(str(preset))
    return named is not None and explicit == named.codec
