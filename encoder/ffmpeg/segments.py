"""How ffmpeg is told to write one rendition of a package: a folder of segments and their media playlist."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from encoder.model.plan import PackagePlan

INIT, PLAYLIST, SUBTITLES = "init.mp4", "index.m3u8", "subtitles.vtt"
_MICROSECONDS = 1_000_000


def options(package: PackagePlan, folder: Path) -> Iterator[str]:
    """The options of ffmpeg's hls muxer, in command order, with what it writes at the end."""
    # each muxer would move its own stream until no time is negative: picture and sound apart by 67 and 21 ms
    yield from ("-avoid_negative_ts", "disabled")
    yield from ("-f", "hls", "-hls_playlist_type", "vod", "-hls_time", _time(package.segment_seconds))
    yield from ("-start_number", "1")
    if package.segments == "ts":
        yield from ("-hls_segment_type", "mpegts", "-hls_segment_options", "avoid_negative_ts=disabled")
    else:
        yield from ("-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", INIT)
    yield from ("-hls_segment_filename", f"file:{folder}/%05d.{package.suffix}", f"file:{folder}/{PLAYLIST}")


def files_in_order(folder: Path) -> list[Path]:
    """The files whose bytes make one file of a rendition, as a player reads them."""
    init = folder / INIT
    segments = sorted(path for path in folder.iterdir() if path.suffix in (".m4s", ".ts"))
    return [init, *segments] if init.exists() else segments


def listed(folder: Path) -> set[str]:
    """The files that make up a rendition, as ffmpeg's playlist names them."""
    path = folder / PLAYLIST
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    maps = {INIT} if any(line.startswith("#EXT-X-MAP:") for line in lines) else set()
    return {PLAYLIST, *maps, *(line for line in lines if line and not line.startswith("#"))}


def _time(seconds: str) -> str:
    """As ffmpeg takes it, in microseconds: rounded down, or a keyframe would come too early for it and be passed over.

    It adds them up, so that after 100,000 segments it is 0.1 s early, where no keyframe is.
    """
    micros = Fraction(seconds) * _MICROSECONDS // 1
    return f"{micros // _MICROSECONDS}.{micros % _MICROSECONDS:06d}"
