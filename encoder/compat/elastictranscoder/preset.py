"""A `Preset` of Elastic Transcoder as members of our outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from encoder.compat.foreign import Foreign, Found
from encoder.model.base import Json

Members = dict[str, Json]

PRESUMED_FPS = 30  # where the frame rate is the source's: to count a distance of keyframes in seconds
_CONTAINERS = {
    "mp4": "mp4",
    "ts": "ts",
    "fmp4": "fmp4",
    "webm": "webm",
    "mp3": "mp3",
    "flac": "flac",
    "wav": "wav",
    "ogg": "ogg",
    "oga": "ogg",
    "gif": "gif",
}
_VIDEO = {"H.264": "libx264", "vp9": "libvpx-vp9", "gif": ""}
_AUDIO = {"AAC": "aac", "mp3": "libmp3lame", "vorbis": "libvorbis", "flac": "flac", "pcm": "pcm_s16le"}
_PCM = {"16": "pcm_s16le", "24": "pcm_s24le"}
_RATES = {"10": 10, "15": 15, "23.97": 23.976, "24": 24, "25": 25, "29.97": 29.97, "30": 30, "50": 50, "60": 60}
_FITS = {"Fit": "contain", "ShrinkToFit": "contain", "Fill": "cover", "ShrinkToFill": "cover", "Stretch": "stretch"}
_DIGITS = "[0-9]{1,6}"
_PERCENT = r"([0-9]{1,3}(?:\.[0-9]{0,5})?)%"
_NOT_MADE = "Encoder makes none of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """`container`: theirs, for `ts` and `fmp4` are parts of a package too. `members`: of picture and sound alone.

    `thumbnails`: the output of pictures that a job may have beside it; `watermarks`: by their ids, without the picture.
    `name`: of a preset of ours that says the same; "" for none.
    """

    container: str
    members: Mapping[str, Json]
    thumbnails: Mapping[str, Json] | None = None
    watermarks: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    name: str = ""

    @property
    def has_picture(self) -> bool:
        return self.members.get("videoCodec") != "none"

    @property
    def has_sound(self) -> bool:
        return self.members.get("audioCodec") != "none"


def read(body: Foreign) -> Preset:
    """The preset that `body` describes, as far as nothing of it is wrong; what is, stands in its `found`."""
    for name in ("Id", "Arn", "Type", "Name", "Description"):
        body.text(name)
    container = body.text("Container", required=True)
    if container is not None and container not in _CONTAINERS:
        body.found.unsupported(body.at("Container"), f"{_NOT_MADE}; it makes {', '.join(_CONTAINERS)}")
    video, audio, thumbnails = (body.one(name) for name in ("Video", "Audio", "Thumbnails"))
    watermarks = {} if video is None else dict(map(_watermark, video.many("Watermarks", most=30)))
    preset = Preset(
        container=_CONTAINERS.get(container or "", "mp4"),
        members={**_video(video), **_audio(audio, gif=container == "gif")},
        thumbnails=None if thumbnails is None else _thumbnails(thumbnails),
        watermarks=watermarks,
    )
    body.close()
    return preset


def _video(video: Foreign | None) -> Members:
    if video is None:
        return {"videoCodec": "none"}
    codec = video.text("Codec", required=True) or ""
    if codec and codec not in _VIDEO:
        video.found.unsupported(video.at("Codec"), f"{_NOT_MADE}; it makes {', '.join(_VIDEO)}")
    made: Members = {"videoCodec": _VIDEO[codec]} if _VIDEO.get(codec) else {}
    kbit = video.text("BitRate", f"auto|{_DIGITS}", "must be auto, or kilobits a second")
    options = video.one("CodecOptions")
    if options is not None:
        made |= _options(options)
    rate = _frame_rate(video)
    if codec == "gif":
        video.text("KeyframesMaxDist")
        made = {}
    else:
        made |= _bitrate("videoBitrate", kbit) | _keyframes(video, rate)
    fixed = video.text("FixedGOP", "true|false", "must be true or false")
    if fixed == "true" and codec == "H.264":
        video.found.warn("hint_ignored", "FixedGOP: keyframes lie on a fixed grid in packages alone.")
    made |= {"fps": rate} if rate else {}
    made |= _size(video)
    for name in ("AspectRatio", "DisplayAspectRatio"):
        if (video.text(name) or "auto") != "auto":
            video.found.unsupported(video.at(name), "the shape of the picture is kept; only auto is taken")
    video.close()
    return made


def _options(options: Foreign) -> Members:
    made: Members = {}
    profile = options.choice("Profile", ("baseline", "main", "high", "0", "1", "2", "3"))
    level, most = options.text("Level"), options.text("MaxBitRate", _DIGITS, "must be kilobits a second")
    made |= {"profile": profile} if profile else {}
    made |= {"level": _level(level)} if level else {}
    made |= _bitrate("maxBitrate", most)
    for name in ("MaxReferenceFrames", "BufferSize"):
        if options.text(name):
            options.found.warn("hint_ignored", f"{name}: the encoder chooses by profile and level.")
    for name, taken in (
        ("InterlacedMode", ("Progressive", "Auto")),
        ("ColorSpaceConversionMode", ("None", "Auto")),
        ("ChromaSubsampling", ("yuv420p",)),
        ("LoopCount", ("Infinite",)),
    ):
        if (options.text(name) or taken[0]) not in taken:
            options.found.unsupported(options.at(name), f"only {' or '.join(taken)} is made")
    options.close()
    return made


def _level(text: str) -> str:
    """`4.0` is `4` to us."""
    return text.removesuffix(".0")


def _bitrate(member: str, kbit: str | None) -> Members:
    return {member: int(kbit) * 1000} if kbit and kbit != "auto" else {}


def _frame_rate(video: Foreign) -> float | None:
    told = f"must be auto or one of {', '.join(_RATES)}"
    rate = video.choice("FrameRate", ("auto", *_RATES))
    if video.text("MaxFrameRate", "|".join(_RATES).replace(".", r"\."), told) and not _RATES.get(rate or ""):
        video.found.warn("hint_ignored", "MaxFrameRate: the frame rate is the source's; `FrameRate` sets another.")
    return _RATES.get(rate or "")


def _keyframes(video: Foreign, rate: float | None) -> Members:
    frames = video.text("KeyframesMaxDist", _DIGITS, "must be a number of frames")
    return {"keyframeInterval": max(0.1, round(int(frames) / (rate or PRESUMED_FPS), 3))} if frames else {}


def _size(of: Foreign) -> Members:
    """Of a picture, or of thumbnails: the greatest sides, and what becomes of another shape."""
    width, height = (of.text(name, "auto|[0-9]{2,5}", "must be auto or pixels") for name in ("MaxWidth", "MaxHeight"))
    named = of.text("Resolution", "auto|[0-9]{1,5}x[0-9]{1,5}", "must be auto or WIDTHxHEIGHT")
    if named and named != "auto":
        width, height = named.split("x")
    sides: Members = {
        name: int(side) for name, side in (("width", width), ("height", height)) if side and side != "auto"
    }
    policy = of.text("SizingPolicy") or "ShrinkToFit"
    if policy not in _FITS:
        of.found.unsupported(of.at("SizingPolicy"), f"it is one of {', '.join(_FITS)}")
    fit = _FITS.get(policy, "contain")
    if of.choice("PaddingPolicy", ("Pad", "NoPad")) == "Pad" and fit == "contain":
        fit = "pad"
    both = len(sides) > 1
    grows: Members = {"upscale": True} if sides and not policy.startswith("Shrink") else {}
    return {**sides, **({"fit": fit} if both and fit != "contain" else {}), **grows}


def _audio(audio: Foreign | None, *, gif: bool) -> Members:
    if audio is None:
        return {} if gif else {"audioCodec": "none"}
    codec = audio.text("Codec", required=True) or "AAC"
    if codec not in _AUDIO:
        audio.found.unsupported(audio.at("Codec"), f"{_NOT_MADE}; it makes {', '.join(_AUDIO)}")
    made: Members = {"audioCodec": _AUDIO.get(codec, "aac")}
    kbit = audio.text("BitRate", _DIGITS, "must be kilobits a second")
    made |= _bitrate("audioBitrate", kbit) if codec not in ("flac", "pcm") else {}
    rate = audio.text("SampleRate", f"auto|{_DIGITS}", "must be auto, or a rate in hertz")
    channels = audio.choice("Channels", ("auto", "0", "1", "2"))
    made |= {"audioSampleRate": int(rate)} if rate and rate != "auto" else {}
    made |= {"audioChannels": int(channels)} if channels in ("1", "2") else {}
    if (audio.text("AudioPackingMode") or "SingleTrack") != "SingleTrack":
        audio.found.unsupported(audio.at("AudioPackingMode"), "only SingleTrack is made")
    options = audio.one("CodecOptions")
    if options is not None:
        made |= _audio_options(options, codec)
    audio.close()
    return {"audioCodec": "none"} if channels == "0" else made


def _audio_options(options: Foreign, codec: str) -> Members:
    made: Members = {}
    if (options.text("Profile") or "auto") not in ("auto", "AAC-LC"):
        options.found.warn("codec_substituted", "Audio Profile: AAC-LC stands for HE-AAC, and plays everywhere.")
    depth = options.text("BitDepth")
    if codec == "pcm" and depth is not None:
        if depth not in _PCM:
            options.found.unsupported(options.at("BitDepth"), f"PCM has {' or '.join(_PCM)} bits")
        made = {"audioCodec": _PCM.get(depth, "pcm_s16le")}
    if (options.text("Signed") or "Signed") != "Signed":
        options.found.unsupported(options.at("Signed"), "PCM is signed")
    options.text("BitOrder")
    options.close()
    return made


def _thumbnails(of: Foreign) -> Members:
    form = of.choice("Format", ("jpg", "png")) or "png"
    seconds = of.text("Interval", "[0-9]{1,5}", "must be seconds") or "60"
    size = _size(of)
    if (of.text("AspectRatio") or "auto") != "auto":
        of.found.unsupported(of.at("AspectRatio"), "the shape of the picture is kept; only auto is taken")
    of.close()
    return {"container": form, "thumbnails": {"every": int(seconds)}, **size}


def _watermark(of: Foreign) -> tuple[str, Members]:
    name = of.text("Id", required=True) or ""
    across = of.choice("HorizontalAlign", ("Left", "Right", "Center")) or "Right"
    down = of.choice("VerticalAlign", ("Top", "Bottom", "Center")) or "Bottom"
    width = of.text("MaxWidth", _PERCENT, "must be a share of the picture, in %, as Encoder scales watermarks")
    opacity = of.text("Opacity", r"[0-9]{1,3}(\.[0-9]{0,20})?", "must be 0 to 100") or "100"
    of.text("MaxHeight")
    if (of.text("SizingPolicy") or "ShrinkToFit") == "Stretch":
        of.found.unsupported(of.at("SizingPolicy"), "a watermark keeps its shape")
    if any([of.text("HorizontalOffset"), of.text("VerticalOffset")]):
        of.found.warn("hint_ignored", f"Watermark {name}: its distance from the edge is Encoder's own.")
    of.text("Target")
    of.close()
    scale = min(1.0, max(0.01, float((width or "10%").rstrip("%")) / 100))
    where = "-".join(side.lower() for side in (down, across) if side != "Center") or "center"
    return name, {"position": where, "opacity": min(1.0, float(opacity) / 100), "scale": scale}


def parsed(body: dict[str, Json]) -> Preset:
    """One that is known to be right: of the table of system presets."""
    return read(Foreign(body, "", Found()))
