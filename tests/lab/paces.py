"""Made sources of each kind of frame rate, and of each way in which they can hardly be entered in the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.lab.media import made

SECONDS = 6.7  # three chunks of two seconds or a little more
_SIZE = "192x108"
_TONE = ("-f", "lavfi", "-i", f"sine=d={SECONDS}:r=48000", "-c:a", "aac", "-shortest")
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p")
# frames a while apart, then close together: at their own times, which are multiples of nothing
_UNEVEN = "setpts='(N+0.37*sin(N)+8*sin(N/9))/30/TB'"


def _pictures(rate: str, *more: str, name: str = "paced.mp4") -> Path:
    source = f"testsrc2=d={SECONDS}:s={_SIZE}:r={rate}"
    return made(name, "-f", "lavfi", "-i", source, *_TONE, *_X264, *more)


def even(rate: str) -> Path:
    return _pictures(rate, "-g", "7", name=f"even-{rate.replace('/', '-')}.mp4")


def uneven(name: str = "uneven.mp4") -> Path:
    return _pictures("30", "-vf", _UNEVEN, "-fps_mode", "passthrough", "-enc_time_base", "1/90000", name=name)


def with_a_gap() -> Path:
    """Nothing for two and a half seconds: a chunk of which the source has no frame of its own."""
    more = ("-vf", "select='lt(t,1.9)+gt(t,4.5)'", "-fps_mode", "passthrough")
    return _pictures("25", *more, name="gap.mp4")


def one_gop() -> Path:
    """Entered at its beginning alone."""
    return _pictures("25", "-g", "9999", "-sc_threshold", "0", name="one-gop.mp4")


def open_gops() -> Path:
    """Frames before a keyframe that lean on it and on what came before."""
    more = ("-x264-params", "open-gop=1:keyint=7:min-keyint=7:scenecut=0:b-adapt=0:bframes=3")
    return _pictures("25", *more, name="open-gops.mp4")


def late() -> Path:
    """The picture begins most of a second after the sound."""
    return _pictures("25", "-vf", "setpts=PTS+0.94/TB", "-fps_mode", "passthrough", name="late.mp4")


PACES: Mapping[str, Callable[[], Path]] = {
    "23.976": lambda: even("24000/1001"),
    "29.97": lambda: even("30000/1001"),
    "59.94": lambda: even("60000/1001"),
    "uneven": uneven,
    "uneven in milliseconds": lambda: uneven("uneven.mkv"),
    "59.94 in milliseconds": lambda: _pictures("60000/1001", "-g", "7", name="even.mkv"),
    "a gap": with_a_gap,
    "one GOP": one_gop,
    "open GOPs": open_gops,
    "late": late,
}
