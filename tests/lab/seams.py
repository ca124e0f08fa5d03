"""How far an output that was made in chunks is from the same one made whole: frames, times, sound, picture."""

from __future__ import annotations

import re
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from encoder.worker import renditions
from encoder.worker.context import Made
from tests.lab.media import ffmpeg_binary

_MOST_DB = 100.0  # of a frame that is the same
_NEAR_FRAMES = 3  # of a seam, on each side


@dataclass(frozen=True, kw_only=True)
class Track:
    """The packets of one stream, as whoever plays the output sees them."""

    stamps: tuple[Fraction, ...]  # of presentation, in order
    keys: tuple[Fraction, ...]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Of a picture beside the very frames that its encoder saw. `psnr`: of each frame, in dB."""

    vmaf: float
    psnr: tuple[float, ...]


def files(made: Made, folder: Path) -> dict[str, Path]:
    """Each stream of an output as one file, by the name of its rendition."""
    if made.plan.package is None:
        return {"": made.path}
    found = {}
    for each in made.plan.renditions:
        if each.subtitles:
            continue
        found[each.name] = folder / f"{made.path.parent.name}-{made.path.name}-{each.name}.{_ending(each.container)}"
        renditions.join(made.path / each.name, found[each.name])
    return found


def _ending(container: str) -> str:
    return "ts" if container == "mpegts" else "mp4"


def track(path: Path) -> Track:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None and not packet.is_discard]
        base = Fraction(stream.time_base or 1)
        stamps = sorted(packet.pts * base for packet in packets if packet.pts is not None)
        keys = sorted(packet.pts * base for packet in packets if packet.is_keyframe and packet.pts is not None)
        return Track(stamps=tuple(stamps), keys=tuple(keys))


def sound(path: Path) -> list[str]:
    """The decoded samples of each track of sound, as a sum, with when the first is heard."""
    with av.open(str(path)) as container:
        tracks = [stream.index for stream in container.streams.audio]
    return [_said("-i", path, "-map", f"0:{index}", "-f", "framemd5", "-").partition("#stream#")[2] for index in tracks]


def frames(path: Path) -> list[str]:
    """The sum of each frame that is decoded, in order."""
    said = _said("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
    return [line.rpartition(",")[2].strip() for line in said.splitlines() if line and not line.startswith("#")]


def quality(path: Path, reference: Path, folder: Path) -> Quality:
    """`reference`: a lossless encode of the same frames."""
    stats = folder / f"{path.name}.psnr"
    counted = "settb=1/1000,setpts=N"
    graph = (
        f"[0:v]{counted},split[a][b];[1:v]{counted},split[c][d];"
        f"[a][c]psnr=stats_file={stats}[p];[b][d]libvmaf=n_threads=2[q]"
    )
    run = [ffmpeg_binary(), "-nostdin", "-i", str(path), "-i", str(reference), "-filter_complex", graph]
    run += ["-map", "[p]", "-f", "null", "-", "-map", "[q]", "-f", "null", "-"]
    done = subprocess.run(run, capture_output=True, check=True)
    found = re.findall(r"VMAF score: ([\d.]+)", done.stderr.decode())
    values = [line.partition("psnr_y:")[2].split()[0] for line in stats.read_text().splitlines()]
    psnr = tuple(_MOST_DB if value == "inf" else float(value) for value in values)
    return Quality(vmaf=float(found[-1]), psnr=psnr)


def dip(whole: Quality, joined: Quality, seams: Sequence[int]) -> float:
    """By how much the worst frame near a seam is below what the clip's own frames vary by, in dB; below 0: by nothing.

    `seams`: numbers of frames. What is usual for the clip is within three deviations of the mean of the one made whole.
    """
    near = {at for seam in seams for at in range(seam - _NEAR_FRAMES, seam + _NEAR_FRAMES + 1)}
    worst = min((joined.psnr[at] for at in near if 0 <= at < len(joined.psnr)), default=_MOST_DB)
    usual = statistics.fmean(whole.psnr) - 3 * statistics.pstdev(whole.psnr)
    return min(usual, *whole.psnr) - worst


def _said(*args: str | Path) -> str:
    done = subprocess.run([ffmpeg_binary(), "-nostdin", "-v", "error", *args], capture_output=True, check=True)
    return done.stdout.decode()
