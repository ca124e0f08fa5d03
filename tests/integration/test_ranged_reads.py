"""A part of a picture, made from a file that holds only the bytes it needs, against the same part made from all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from encoder.ffmpeg import command
from encoder.ffmpeg.closing import read_closing
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import Lacking, extents, survey
from encoder.model.extent import Extent, size_bytes
from encoder.model.media import Media
from tests.lab.encoding import LIMITS
from tests.lab.facts import ABLE, spec
from tests.lab.media import ffmpeg_binary, made

# of loud pictures, so that a second of them is far more than a head and an index
LENGTH_S = 12.0
NOISE = ("-f", "lavfi", "-i", f"testsrc2=d={LENGTH_S}:s=192x108:r=30000/1001,noise=alls=90:allf=t,format=yuv420p")
TONE = ("-f", "lavfi", "-i", f"sine=d={LENGTH_S}:r=48000", "-c:a", "aac")
B_FRAMES = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-b_strategy", "0", "-qp", "8", "-g", "30")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-b:v", "12M", "-g", "30")

CHUNKS = ((4.0, 5.0), (11.0, LENGTH_S))  # in the middle, the last
MARGIN_S = 3.0


def mixed() -> Path:
    return made("mixed.mp4", *NOISE, *TONE, *B_FRAMES)


SOURCES: dict[str, Callable[[], Path]] = {
    "moov last, B-frames": mixed,
    "moov first": lambda: made("first.mov", "-i", str(mixed()), "-c", "copy", "-movflags", "+faststart"),
    "Matroska": lambda: made("mixed.mkv", "-i", str(mixed()), "-c", "copy"),
    "the picture behind all sound": lambda: made(
        "apart.mp4", "-i", str(mixed()), "-c", "copy", "-max_interleave_delta", "1", "-map", "0:a", "-map", "0:v"
    ),
    "WebM": lambda: made("noise.webm", *NOISE, *VP8),
    "one GOP": lambda: made("one.mp4", *NOISE, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-g", "9999"),
}  # fmt: skip


def holed(path: Path, folder: Path, kept: tuple[Extent, ...]) -> Path:
    """A copy of that size, with holes in the place of all else."""
    copy = folder / "holed"
    with path.open("rb") as whole, copy.open("wb") as file:
        file.truncate(path.stat().st_size)
        for first, last in kept:
            file.seek(first)
            file.write(os.pread(whole.fileno(), last - first, first))
    return copy


async def cut(launcher: Launcher, path: Path, folder: Path, media: Media, start: float, end: float) -> tuple[str, int]:
    """The hash of a part of the picture of `path`, whose facts are known; and its errors of decoding."""
    part = spec("h264", encoderPreset="ultrafast", audioCodec="none", height=90, clip={"start": start, "end": end})
    plan = decide(media, {0: part}, ABLE)
    result = folder / "out.mp4"
    args = command.build(plan, plan.passes[0], files={0: result}, threads=2)
    ended = await launcher.run(args, folder=folder, leash=Leash(), limits=LIMITS, source=path)
    assert ended.code == 0, ended.log
    errors = sum(stream.errors for stream in read_closing(ended.log).read)
    return hashlib.sha256(result.read_bytes()).hexdigest(), errors


@pytest.mark.parametrize("what", SOURCES)
async def test_a_part_made_of_the_bytes_it_needs_is_the_part_made_of_all(what: str, tmp_path: Path) -> None:
    path = SOURCES[what]()
    size = path.stat().st_size
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    spans = [(max(0.0, start - 2), None if end >= LENGTH_S else end + MARGIN_S) for start, end in CHUNKS]
    media = (await survey(launcher, path, folder=tmp_path, leash=Leash())).media
    picture = (media.video[0].index,)
    found = await extents(launcher, path, spans, streams=picture, folder=tmp_path, leash=Leash())
    assert not isinstance(found, Lacking)
    assert len(found) == len(CHUNKS)
    for (start, end), (begin, until), needed in zip(CHUNKS, spans, found, strict=True):
        if what != "one GOP":
            share = ((until or LENGTH_S) - begin + 3) / LENGTH_S * size  # a GOP before, what opens the file
            assert size_bytes(needed) < share + 800_000
        whole = await cut(launcher, path, tmp_path, media, start, end)
        assert whole == (whole[0], 0)
        assert await cut(launcher, holed(path, tmp_path, needed), tmp_path, media, start, end) == whole
