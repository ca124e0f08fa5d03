"""A format of Coconut, `container[:video[:audio[:options]]]`, as members of our outputs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from encoder.compat.foreign import Found
from encoder.model.base import Json

Members = dict[str, Json]

VIDEO, SOUND, IMAGE = "video", "audio", "image"
_CONTAINERS = {
    **dict.fromkeys(("mp4", "webm", "mpegts", "mov", "mkv"), VIDEO),
    **dict.fromkeys(("mp3", "ogg", "wav", "flac", "aac"), SOUND),
    **dict.fromkeys(("jpg", "png", "webp", "gif", "webp_anim"), IMAGE),
}
_OURS = {"aac": "m4a", "webp_anim": "webp"}
_VIDEO = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "copy": "copy", "novideo": "none"}
_SOUND = {
    "aac": "aac",
    "mp3": "libmp3lame",
    "flac": "flac",
    "vorbis": "libvorbis",
    "copy": "copy",
    "noaudio": "none",
    "pcm": "pcm_s16le",
    "pcm-s16le": "pcm_s16le",
}
_CHANNELS = {"mono": 1, "stereo": 2}
_RATED = frozenset({"libx264", "libx265"})  # of which a `quality` is told
_CRF = {"1": 31, "2": 28, "3": 25, "4": 22, "5": 19}
_USUAL = "4"  # the quality of those that say neither that nor a bitrate
_MOVING_FPS = 15
_OPTIONS = re.compile(r"[,_](?!fmt=)")
_NO_TRACK = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`kind`: what it makes. `members`: of an output, with its container."""

    kind: str
    members: Members


def read(text: str, at: str, found: Found) -> Format:
    """The format that `text` names; what is wrong with it is told as at `at`."""
    container, *specs = text.split(":")
    kind = _CONTAINERS.get(container)
    if kind is None:
        found.unsupported(at, f"it makes {', '.join(_CONTAINERS)}")
        return Format(kind=VIDEO, members={"container": "mp4"})
    if len(specs) > (3 if kind == VIDEO else 1 if kind == IMAGE else 2):
        found.fault(at, "invalid_value", "reads container:video:audio:options, as far as the container has them")
    video, audio, options = ((*specs, "", "", "") if kind != SOUND else (_NO_TRACK, *specs, "", ""))[:3]
    base: Members = {"container": _OURS.get(container, container)}
    if kind == IMAGE:
        moving: Members = {"fps": _MOVING_FPS} if container == "webp_anim" else {}
        return Format(kind=kind, members={**base, **_video(video, at, found), **moving})
    if container == "aac":
        found.warn("codec_substituted", f"{text}: AAC comes in M4A, not bare.")
    members = {**base, **_tracks(container, _video(video, at, found), _audio(audio, at, found), text, found)}
    return Format(kind=kind, members=_with_quality(members, _options(options, at, found), at, found))


def _tracks(container: str, video: Members, audio: Members, text: str, found: Found) -> Members:
    """Of a WebM that names no codec, theirs were VP8 and Vorbis."""
    if container == "webm" and "videoCodec" not in video:
        found.warn("codec_substituted", f"{text}: VP9 and Opus stand for VP8 and Vorbis.")
        return {"videoCodec": "libvpx-vp9", "audioCodec": "libopus", **video, **audio}
    if container in ("mp4", "mov", "mkv", "mpegts"):
        return {"videoCodec": "libx264", "audioCodec": "aac", **video, **audio}
    return {**video, **audio}


def _with_quality(members: Members, options: Members, at: str, found: Found) -> Members:
    """A quality where no bitrate is said."""
    quality, rated = options.pop("quality", None), members.get("videoCodec") in _RATED
    if quality is not None and not rated:
        found.unsupported(at, "quality goes with h264 and hevc")
    if rated and "videoBitrate" not in members:
        options["crf"] = _CRF[str(quality or _USUAL)]
    elif quality is not None and "videoBitrate" in members:
        found.fault(at, "unsupported_combination", "either a quality or a bitrate, not both")
    return {**members, **options}


def _video(specs: str, at: str, found: Found) -> Members:
    made: Members = {}
    for part in filter(None, specs.split("_")):
        if part == _NO_TRACK:
            made["videoCodec"] = "none"
        elif part in _VIDEO:
            made["videoCodec"] = _VIDEO[part]
        elif size := re.fullmatch(r"([0-9]{2,4})p", part):
            made["height"] = int(size[1])
        elif size := re.fullmatch(r"([0-9]{1,5})x([0-9]{0,5})", part):
            sides = zip(("width", "height"), size.groups(), strict=True)
            made |= {name: int(side) for name, side in sides if int(side or 0)}
        elif rate := re.fullmatch(r"([0-9]{1,6})[kK]", part):
            made["videoBitrate"] = int(rate[1]) * 1000
        elif rate := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)fps", part):
            made |= {"fps": float(rate[1])} if float(rate[1]) else {}
        else:
            known = "sizes 720p or 1280x720, rates 30fps, bitrates 2000k"
            _unknown(
                found, at, part, f"codec, size, rate or bitrate that is known: codecs are {', '.join(_VIDEO)}, {known}"
            )
    return made


def _audio(specs: str, at: str, found: Found) -> Members:
    made: Members = {}
    for part in filter(None, specs.split("_")):
        if part == _NO_TRACK:
            made["audioCodec"] = "none"
        elif part in _SOUND:
            made["audioCodec"] = _SOUND[part]
        elif rate := re.fullmatch(r"([0-9]{1,4})[kK]", part):
            made["audioBitrate"] = int(rate[1]) * 1000
        elif rate := re.fullmatch(r"([0-9]{4,6})hz", part):
            made["audioSampleRate"] = int(rate[1])
        elif part in _CHANNELS:
            made["audioChannels"] = _CHANNELS[part]
        elif part != "multi":
            known = f"{', '.join(_CHANNELS)}, bitrates 128k, sample rates 44100hz"
            _unknown(
                found,
                at,
                part,
                f"codec, rate or channels of sound that are known: codecs are {', '.join(_SOUND)}, {known}",
            )
    return made


def _options(specs: str, at: str, found: Found) -> Members:
    made: Members = {}
    for part in filter(None, _OPTIONS.split(specs)):
        if quality := re.fullmatch("quality=([1-5])", part):
            made["quality"] = quality[1]
        elif rate := re.fullmatch("maxrate=([0-9]{1,6})[kK]", part):
            made["maxBitrate"] = int(rate[1]) * 1000
        elif form := re.fullmatch("pix_fmt=([a-z0-9]{1,16})", part):
            made["pixelFormat"] = form[1]
        elif part == "2pass":
            made["twoPass"] = True
        elif part != "metadata=0":
            _unknown(found, at, part, "option that is known: there are quality, maxrate, pix_fmt, 2pass, metadata=0")
    return made


def _unknown(found: Found, at: str, part: str, what: str) -> None:
    """Theirs perhaps, or a slip: we cannot tell."""
    found.fault(at, "unsupported_member", f"`{part[:32]}` is no {what}")
