"""What plain `ffmpeg -i in out.mp4` makes of every public clip, beside Encoder: writes docs/why/plain-ffmpeg.md."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from encoder import errors
from encoder.ffmpeg.colours import HDR
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.probe import inspect, reopen
from encoder.model.media import Media, Opened, VideoStream
from tests.lab.encoding import fast, one
from tests.lab.media import PUBLIC, ffmpeg_binary

PAGE = Path(__file__).parents[2] / "docs" / "why" / "plain-ffmpeg.md"
_DIALLED = ("127.0.0.1", 9009)  # the address that the hand-made playlist names
_TENTH = 0.1
_HEAD = """# Beside plain ffmpeg

Every clip of the public test media, once through `ffmpeg -i in out.mp4` and once through the preset `h264`, by the same
ffmpeg ({version}). Both results were opened by the same prober and measured on their packets and frames; "well" means
that nothing of this was found: pixels that are not square, combs, the tags of HDR on SDR, ten bits in H.264, full
range, absent colour tags, uneven frame times, tracks of data, an index behind the media, an end before the source's.
The picture itself is compared in `tests/integration/test_source_hygiene.py`.

`make bench ARGS=plain` writes this page anew; nothing on it is written by hand.

| clip | plain `ffmpeg -i in out.mp4` | Encoder | told by Encoder |
|---|---|---|---|
"""


async def run() -> None:
    """Takes some minutes: plain ffmpeg encodes at its own speed."""
    said = subprocess.run([ffmpeg_binary(), "-version"], capture_output=True, check=True).stdout.decode()
    rows = []
    for path in sorted(PUBLIC.iterdir()):
        if path.suffix != ".md":
            rows.append(await _row(path))
            print(rows[-1], flush=True)
    PAGE.write_text(_HEAD.format(version=said.split()[2]) + "\n".join(rows) + "\n")


async def _row(path: Path) -> str:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        plain = await _plain(path, folder)
        ours, told = await _ours(path, folder)
    return f"| `{path.name}` | {plain} | {ours} | {told} |"


async def _plain(path: Path, folder: Path) -> str:
    out = folder / "plain.mp4"
    with _visits() as visits:
        args = [ffmpeg_binary(), "-nostdin", "-v", "error", "-y", "-i", str(path), str(out)]
        ended = subprocess.run(args, capture_output=True, check=False, timeout=900)
    dialled = ["dials the address that the file names"] if visits else []
    if ended.returncode or not out.stat().st_size:
        return "; ".join([f"exit code {ended.returncode}", *dialled])
    opened = await reopen(_launcher(), out, muxer="mp4", folder=folder, leash=Leash())
    source = await inspect(_launcher(), path, folder=folder, leash=Leash())
    return "; ".join([*_wrong(opened, source), *dialled]) or "well"


async def _ours(path: Path, folder: Path) -> tuple[str, str]:
    try:
        result = await one(path, folder, fast(height=None))
    except errors.Permanent as failure:
        return f"refused: `{failure.code}`", failure.message
    told = " ".join(note.message for note in result.plan.warnings)
    if result.code is not None:
        return f"refused: `{result.code}`", told
    return "; ".join(_wrong(result.opened, result.media)) or "well", told


def _wrong(opened: Opened, source: Media) -> Iterator[str]:
    """What is not as it should be in an MP4 that everybody can play."""
    for picture in opened.media.video:
        yield from _wrong_picture(picture)
    if opened.media.other:
        kinds = ", ".join(sorted({stream.type for stream in opened.media.other}))
        yield f"carries further tracks ({kinds})"
    if not opened.faststart:
        yield "index behind the media: cannot be played before its end has come"
    made, has = opened.media.duration_seconds or 0.0, source.duration_seconds or 0.0
    if made < has * (1 - _TENTH):
        yield f"exit code 0 with {made:.1f} of {has:.1f} s"


def _wrong_picture(picture: VideoStream) -> Iterator[str]:
    if picture.sample_aspect_ratio != "1/1":
        yield f"pixels of {picture.sample_aspect_ratio}"
    if picture.interlaced:
        yield "combed for ever, and called progressive"
    if picture.bit_depth > 8 or not picture.pixel_format.startswith(("yuv420p", "yuvj420p")):
        yield f"{picture.profile} ({picture.pixel_format}), which no browser plays"
    if picture.color_transfer in HDR:
        yield f"{HDR[picture.color_transfer]} tags without tone mapping"
    if picture.hdr_side_data:
        yield "side data of HDR"
    if picture.color_range == "pc":
        yield "full range"
    if picture.color_matrix is None:
        yield "no colour tags"
    if picture.variable_rate:
        yield f"uneven frame times (on average {picture.average_rate})"


def _launcher() -> Launcher:
    return Launcher(binary=Path(ffmpeg_binary()))


@contextmanager
def _visits() -> Iterator[list[str]]:
    """Who comes to the address that the playlist names."""
    came: list[str] = []
    with closing(socket.create_server(_DIALLED)) as server:
        server.settimeout(0.2)
        over = threading.Event()

        def receive() -> None:
            while not over.is_set():
                try:
                    visitor, address = server.accept()
                except TimeoutError:
                    continue
                came.append(str(address))
                visitor.close()

        listener = threading.Thread(target=receive)
        listener.start()
        try:
            yield came
        finally:
            over.set()
            listener.join()
