"""Folders as ffmpeg leaves them for a package: small, quick, of sources with any frame rate."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from encoder.packaging import Segments, Text, Track
from tests.lab.media import ffmpeg_binary

SEGMENT_FRAMES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    folder: Path
    tracks: tuple[Track, ...]
    segments: Segments
    segment_seconds: Fraction
    seconds: float
    texts: tuple[Text, ...] = ()


def make(  # noqa: PLR0913  # each is what some case is about
    folder: Path,
    *,
    segments: Segments = "fmp4",
    rate: str = "30",
    count: int = 4,
    widths: Sequence[int] = (320, 160),
    languages: Sequence[str] = ("eng",),
    encoder: Sequence[str] = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-sc_threshold", "0"),
    sound: Sequence[str] = ("-c:a", "aac", "-b:a", "64k"),
    second_sound: Sequence[str] = (),
    moved: bool = False,
    texts: Sequence[Text] = (),
) -> Made:
    """`count` segments of 30 frames for each of `widths`, and of sound for each of `languages`.

    `second_sound`: how languages after the first are encoded, if otherwise.
    `moved`: as ffmpeg does it by itself, each track by its own way from the start.
    `texts`: subtitles, each of one caption.
    """
    segment = SEGMENT_FRAMES / Fraction(rate)
    seconds = float(segment * count)
    tracks = [
        Track(name=f"{width * 9 // 16}p", kind="video", rate=rate, width_px=width, height_px=width * 9 // 16)
        for width in widths
    ]
    tracks += [Track(name=f"audio-{each}", kind="audio", language=each, channels=1) for each in languages]
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s={max([2, *widths])}x180:r={rate}:d={seconds}"]
    inputs += ["-f", "lavfi", "-i", f"sine=r=48000:d={seconds}"]
    outputs: list[str] = []
    for track in tracks:
        (folder / track.name).mkdir(parents=True)
        if track.kind == "video":
            outputs += ["-map", "0:v", "-vf", f"scale={track.width_px}:{track.height_px},format=yuv420p", *encoder]
            outputs += ["-g", "30", "-keyint_min", "30"]
        else:
            words = (second_sound or sound) if track.language != languages[0] else sound
            outputs += ["-map", "1:a", *words, "-metadata:s:a:0", f"language={track.language}"]
        muxer = _muxer(folder / track.name, segments, segment)
        outputs += [word.replace("disabled", "auto") for word in muxer] if moved else muxer
    run = [ffmpeg_binary(), "-v", "error", "-nostdin", *inputs, *outputs]
    subprocess.run(run, check=True, stdin=subprocess.DEVNULL)
    for text in texts:
        (folder / text.name).mkdir()
        (folder / text.file).write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text.name}\n")
    return Made(
        folder=folder,
        tracks=tuple(tracks),
        segments=segments,
        segment_seconds=segment,
        seconds=seconds,
        texts=tuple(texts),
    )


def _muxer(folder: Path, segments: Segments, segment: Fraction) -> list[str]:
    own = ["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"]
    if segments == "ts":
        own = ["-hls_segment_type", "mpegts", "-hls_segment_options", "avoid_negative_ts=disabled"]
    suffix = "ts" if segments == "ts" else "m4s"
    return [
        *("-f", "hls", "-avoid_negative_ts", "disabled", "-hls_playlist_type", "vod", "-start_number", "1", *own),
        *("-hls_time", f"{float(segment):.6f}", "-hls_segment_filename", f"{folder}/%05d.{suffix}"),
        f"{folder}/index.m3u8",
    ]


def first_picture(data: bytes) -> int:
    """How many bytes the first picture has that `data` decodes to."""
    run = [ffmpeg_binary(), "-v", "fatal", "-err_detect", "explode", "-i", "pipe:0", "-frames:v", "1"]
    run += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"]
    return len(subprocess.run(run, input=data, capture_output=True, check=True).stdout)
