"""The presets that Elastic Transcoder brought along, in its own words; each is read as any other preset of its form.

What is not here made what Encoder does not: MPEG-2, MXF, Flash, VP8, interlaced pictures, Smooth Streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from encoder.compat.elastictranscoder.preset import Preset, parsed
from encoder.model.base import Json

PREFIX = "1351620000001-"

# id: width, height, kbit/s, frame rate, profile, level, kbit/s of the sound
_MP4 = {
    "000001": (1920, 1080, 5400, "29.97", "baseline", "4", 160),
    "000010": (1280, 720, 2400, "29.97", "baseline", "3.1", 160),
    "000020": (854, 480, 1200, "29.97", "baseline", "3.1", 128),
    "000030": (640, 480, 900, "29.97", "baseline", "3", 128),
    "000040": (640, 360, 720, "29.97", "baseline", "3", 128),
    "000050": (480, 360, 600, "29.97", "baseline", "3", 128),
    "000061": (320, 240, 300, "15", "baseline", "1.3", 64),
    "100020": (1920, 1080, 5000, "30", "high", "4.1", 160),
    "100040": (640, 480, 1500, "30", "baseline", "3", 128),
    "100050": (1280, 720, 5000, "30", "main", "3.1", 160),
    "100060": (1920, 1080, 5000, "30", "high", "4", 160),
    "100070": (1280, 720, 2200, "30", "main", "3.1", 160),
    "100080": (1280, 720, 2200, "30", "main", "4", 128),
    "100090": (1920, 1080, 5400, "30", "main", "4", 128),
    "100150": (1920, 1080, 5000, "30", "main", "4.1", 160),
}
_HLS = {
    "20001": (1024, 768, 1872, "main", "3.1"),
    "20002": (960, 640, 1372, "main", "3.1"),
    "20003": (640, 432, 872, "main", "3.1"),
    "20004": (480, 320, 472, "baseline", "3"),
    "20005": (400, 288, 272, "baseline", "3"),
}
_DASH = {
    "500020": (1280, 720, 4800, "3.1"),
    "500030": (854, 480, 2400, "3.1"),
    "500040": (640, 360, 1200, "3"),
    "500050": (426, 240, 600, "3"),
}
_WEBM = {"100250": (1280, 720, 1200), "100260": (640, 360, 600)}
# id: container, codec, kbit/s
_SOUND = {
    **{
        f"300{number}": ("mp3", "mp3", kbit)
        for number, kbit in (("010", 320), ("020", 192), ("030", 160), ("040", 128))
    },
    **{
        f"100{number}": ("mp4", "AAC", kbit) for number, kbit in (("110", 256), ("120", 160), ("130", 128), ("141", 64))
    },
    "200060": ("ts", "AAC", 160),
    "200071": ("ts", "AAC", 64),
    "500060": ("fmp4", "AAC", 128),
    "300110": ("flac", "flac", 0),
    "300200": ("wav", "pcm", 0),
}


@cache
def presets() -> Mapping[str, Preset]:
    """All of them, by their ids."""
    words: dict[str, dict[str, Json]] = {
        **{name: _mp4(*row) for name, row in _MP4.items()},
        **{f"{name}0": _hls(*row, sound=True) for name, row in _HLS.items()},
        **{f"{name}5": _hls(*row, sound=False) for name, row in _HLS.items()},
        **{name: _dash(*row) for name, row in _DASH.items()},
        **{name: _webm(*row) for name, row in _WEBM.items()},
        **{
            name: {"Container": container, "Audio": _sound(codec, kbit)}
            for name, (container, codec, kbit) in _SOUND.items()
        },
        "100200": {
            "Container": "gif",
            "Video": {"Codec": "gif", "CodecOptions": {"LoopCount": "Infinite"}, "FrameRate": "15", "MaxWidth": "auto"},
        },
    }
    return {PREFIX + name: parsed(preset) for name, preset in words.items()}


def usual() -> Preset:
    """The one that most of them are like, in watermarks and thumbnails."""
    return presets()[f"{PREFIX}000010"]


def _mp4(
    width: int, height: int, kbit: int, fps: str, profile: str, level: str, sound: int
) -> dict[str, Json]:  # a row
    video = _h264(width, height, kbit, fps=fps, frames=90, profile=profile, level=level)
    return {"Container": "mp4", "Video": video, "Audio": _sound("AAC", sound), "Thumbnails": _pictures(60)}


def _hls(width: int, height: int, kbit: int, profile: str, level: str, *, sound: bool) -> dict[str, Json]:
    video = _h264(width, height, kbit, fps="auto", frames=90, profile=profile, level=level)
    audio = {"Audio": _sound("AAC", 128)} if sound else {}
    return {"Container": "ts", "Video": video, "Thumbnails": _pictures(300), **audio}


def _dash(width: int, height: int, kbit: int, level: str) -> dict[str, Json]:
    video = _h264(width, height, kbit, fps="30", frames=60, profile="main", level=level)
    return {"Container": "fmp4", "Video": video, "Thumbnails": _pictures(300)}


def _webm(width: int, height: int, kbit: int) -> dict[str, Json]:
    video = {
        "Codec": "vp9",
        "KeyframesMaxDist": "90",
        "BitRate": str(kbit),
        "FrameRate": "30",
        **_within(width, height),
    }
    return {"Container": "webm", "Video": video, "Audio": _sound("vorbis", 160), "Thumbnails": _pictures(60)}


def _h264(  # a row
    width: int, height: int, kbit: int, *, fps: str, frames: int, profile: str, level: str
) -> dict[str, Json]:
    return {
        "Codec": "H.264",
        "CodecOptions": {"Profile": profile, "Level": level},
        "KeyframesMaxDist": str(frames),
        "BitRate": str(kbit),
        "FrameRate": fps,
        **_within(width, height),
        "Watermarks": [_corner(down, across) for down in ("Top", "Bottom") for across in ("Left", "Right")],
    }


def _within(width: int, height: int) -> dict[str, Json]:
    return {"MaxWidth": str(width), "MaxHeight": str(height), "SizingPolicy": "ShrinkToFit", "PaddingPolicy": "NoPad"}


def _corner(down: str, across: str) -> dict[str, Json]:
    return {"Id": down + across, "MaxWidth": "10%", "VerticalAlign": down, "HorizontalAlign": across, "Opacity": "100"}


def _sound(codec: str, kbit: int) -> dict[str, Json]:
    rate: dict[str, Json] = {"BitRate": str(kbit)} if kbit else {}
    return {"Codec": codec, "SampleRate": "44100", "Channels": "2", **rate}


def _pictures(seconds: int) -> dict[str, Json]:
    return {"Format": "png", "Interval": str(seconds), **_within(192, 108)}
