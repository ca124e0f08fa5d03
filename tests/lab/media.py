"""Media to work on: small clips that our own ffmpeg makes, and the public ones beside the repository."""

from __future__ import annotations

import atexit
import base64
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
import pytest

PUBLIC = Path(__file__).parents[2].parent / "shared" / "media"
_BENCH = "bbb_1080p30_faststart.mp4"
_QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest")


def public_clip(name: str) -> Path:
    """A clip of `../shared/media`. Without that folder the test is skipped; in CI it fails."""
    path = PUBLIC / name
    if not path.exists():
        absent = f"{name} is not in ../shared/media"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    return path


@functools.cache
def ffmpeg_binary() -> str:
    """The one of the pinned wheel."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def clip(seconds: float = 2, size: str = "320x180", rate: str = "30", name: str = "clip.mp4") -> Path:
    """A moving picture with a tone, H.264 and AAC."""
    return made(
        name, "-f", "lavfi", "-i", f"testsrc2=d={seconds}:s={size}:r={rate}",
        "-f", "lavfi", "-i", f"sine=d={seconds}:r=48000", *_QUICK,
    )  # fmt: skip


@functools.cache
def made(name: str, *args: str) -> Path:
    """What our ffmpeg makes of `args`; kept until the process ends."""
    path = Path(tempfile.mkdtemp(dir=_shelf())) / name
    path.parent.chmod(0o755)
    subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-nostdin", "-y", *args, str(path)], check=True, stdin=subprocess.DEVNULL
    )
    return path


@functools.cache
def bench_clip() -> Path:
    """At least twelve seconds of 1080p."""
    public = PUBLIC / _BENCH
    return public if public.exists() else clip(seconds=12, size="1920x1080", name="bench.mp4")


@functools.cache
def inline_tone() -> str:
    """A second of sound, small enough to travel in a request, in base64."""
    tone = made("tone.wav", "-f", "lavfi", "-i", "sine=d=1:r=8000", "-ac", "1")
    return base64.b64encode(tone.read_bytes()).decode("ascii")


@functools.cache
def inline_picture() -> str:
    """Two small seconds with a tone, in base64."""
    return base64.b64encode(clip(size="160x90", name="inline.mp4").read_bytes()).decode("ascii")


@functools.cache
def _shelf() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="encoder-clips-"))
    folder.chmod(0o755)  # servers of the lab may run as another user
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
