"""Measures what chunks cost on this machine, by our own plans and commands: `python -m tests.scale measure`."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Self

from encoder.ffmpeg import command
from encoder.ffmpeg.launcher import Launcher, Leash, Limits
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Plan
from tests.bench.measure import Busy
from tests.lab.encoding import Judging, judge
from tests.lab.facts import ABLE, spec
from tests.lab.media import ffmpeg_binary, made, public_clip

THREADS = 2
_LIMITS = Limits(wall_seconds=1200.0)  # others may be at work
_LADDER: Json = [
    {"resolution": f"{lines}p", "videoBitrate": rate}
    for lines, rate in ((1080, 5_000_000), (720, 3_000_000), (480, 1_500_000), (360, 800_000))
]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An encode, and from where it is measured: seconds of films at which a keyframe stands, or nearly."""

    preset: str
    members: Mapping[str, Json]
    pieces: Mapping[str, Sequence[float]]
    seconds: float


_HD = {"bbb_1080p30_faststart.mp4": (0, 2, 4, 6, 8, 10), "city_1080p24_moovend.mp4": (0, 10)}
_HD_FEW = {"bbb_1080p30_faststart.mp4": (2, 6, 10), "city_1080p24_moovend.mp4": (0,)}
_MIDDLE = {"bbb_720p30.ts": (0, 6, 12, 18, 24, 30), "dog_720p2997_faststart.mp4": (0,)}
_HEIGHT_720: Mapping[str, Json] = {"width": 1280, "height": 720}
_HEIGHT_360: Mapping[str, Json] = {"width": 640, "height": 360}
CASES = {
    "h264 ladder 1080": Case(preset="hls", members={"renditions": _LADDER}, pieces=_HD_FEW, seconds=2),
    "libx264 1080": Case(preset="h264", members={}, pieces=_HD, seconds=2),
    "libx264 720": Case(preset="h264", members=_HEIGHT_720, pieces=_MIDDLE, seconds=2),
    "libx265 1080": Case(preset="hevc", members={}, pieces=_HD_FEW, seconds=2),
    "libsvtav1 1080": Case(preset="av1-fast", members={}, pieces=_HD, seconds=2),
    "libsvtav1 720": Case(preset="av1-fast", members=_HEIGHT_720, pieces=_MIDDLE, seconds=2),
    "libvpx-vp9 1080": Case(preset="vp9", members={}, pieces=_HD_FEW, seconds=1),
    "libvpx-vp9 720": Case(preset="vp9", members=_HEIGHT_720, pieces=_MIDDLE, seconds=1),
    "libaom-av1 1080": Case(preset="av1", members={}, pieces=_HD_FEW, seconds=0.5),
    "libaom-av1 360": Case(preset="av1", members=_HEIGHT_360, pieces=_MIDDLE, seconds=1),
}


@dataclass(frozen=True, kw_only=True)
class Spent:
    """By children, until they were waited for. `cores`: that they would keep busy, were they alone on `THREADS`."""

    cpu_s: float
    cores: float


class Watch:
    """`lap` after each thing that is measured; ends with its block."""

    def __init__(self) -> None:
        self._cpu_s = _children_s()
        self._busy = Busy(os.getpid(), cores=THREADS)

    def __enter__(self) -> Self:
        self._busy.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._busy.__exit__(*raised)

    def lap(self) -> Spent:
        cpu_s = _children_s()
        spent = Spent(cpu_s=cpu_s - self._cpu_s, cores=self._busy.lap())
        self._cpu_s = cpu_s
        return spent


async def encodes(names: Sequence[str] = tuple(CASES)) -> dict[str, Any]:
    """Per encode: CPU seconds per second of media, of each piece and of its proof."""
    found = {}
    for name in names:
        case = CASES[name]
        spent = [await _piece(indexed(film), case, start) for film, starts in case.pieces.items() for start in starts]
        found[name] = {
            "seconds": case.seconds,
            "stretches": [round(encode.cpu_s / case.seconds, 3) for encode, _ in spent],
            "proof_cpu_s": round(fmean(proof.cpu_s for _, proof in spent) / case.seconds, 3),
        }
        print(name, found[name], flush=True)
    return found


async def cores() -> dict[str, dict[str, float]]:
    """Per encode: how many of two cores it keeps busy, and its proof."""
    found = {}
    for name, case in CASES.items():
        film, starts = next(iter(case.pieces.items()))
        encode, proof = await _piece(indexed(film), case, starts[0])
        found[name] = {"busy_cores": encode.cores, "proof_cores": proof.cores}
        print(name, found[name], flush=True)
    return found


async def around() -> dict[str, float]:
    """What is there beside the encode: of each encode and proof, however short, and of each second of media."""
    picture = made("dot.mp4", "-f", "lavfi", "-i", "testsrc2=d=1:s=64x64:r=30", "-c:v", "libx264")
    dot = Case(preset="h264", members={}, pieces={}, seconds=0.2)
    encode, proof = await _piece(picture, dot, 0.0)
    film = indexed("bbb_720p30.ts")
    with tempfile.TemporaryDirectory() as name, Watch() as watch:
        _ffmpeg("-i", film, "-vn", "-c:a", "aac", "-b:a", "128k", Path(name) / "sound.m4a")
        sound = watch.lap()
        _ffmpeg("-i", film, "-an", "-c", "copy", "-movflags", "+faststart", Path(name) / "joined.mp4")
        joined = watch.lap()
    seconds = 35.63
    return {
        "begin_encode_cpu_s": round(encode.cpu_s, 3),
        "begin_proof_cpu_s": round(proof.cpu_s, 3),
        "sound_cpu_s": round(sound.cpu_s / seconds, 5),
        "join_cpu_s": round(joined.cpu_s / seconds, 5),
    }


def where() -> dict[str, Any]:
    """Of what figures are figures."""
    version = subprocess.run([ffmpeg_binary(), "-version"], capture_output=True, check=True).stdout.decode()
    cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores of {cpu.partition(':')[2].strip()}",
        "ffmpeg": version.split()[2],
        "python": platform.python_version(),
        "threads": THREADS,
        "load": round(os.getloadavg()[0], 1),
        "films": sorted({film for case in CASES.values() for film in case.pieces}),
    }


async def _piece(film: Path, case: Case, start: float) -> tuple[Spent, Spent]:
    """What it took to encode a piece, and to prove it."""
    clip: dict[str, Json] = {"start": start, "end": start + case.seconds}
    with tempfile.TemporaryDirectory() as name:
        output = spec(case.preset, **{**case.members, "clip": clip, "audioCodec": "none"})
        trial = await Trial.of(film, output, Path(name))
        with Watch() as watch:
            await trial.encode()
            encode = watch.lap()
            await trial.prove()
            return encode, watch.lap()


@dataclass(frozen=True, kw_only=True)
class Trial:
    """An output of a film, planned, to be encoded and then proven."""

    film: Path
    folder: Path
    media: Media
    plan: Plan
    result: Path
    threads: int
    log: list[str] = field(default_factory=list)

    @classmethod
    async def of(cls, film: Path, output: OutputSpec, folder: Path, *, threads: int = THREADS) -> Trial:
        """`folder`: for what is made."""
        launcher = Launcher(binary=Path(ffmpeg_binary()))
        media = await inspect(launcher, film, folder=folder, leash=Leash())
        plan = decide(media, {0: output}, ABLE)
        assert not plan.refused, plan.refused
        (planned,) = plan.outputs
        result = folder / f"out.{planned.extension}" if planned.package is None else folder / "out"
        for each in planned.renditions:
            (result / each.name).mkdir(parents=True)
        return cls(film=film, folder=folder, media=media, plan=plan, result=result, threads=threads)

    async def encode(self) -> None:
        args = command.build(self.plan, self.plan.passes[0], files={0: self.result}, threads=self.threads)
        launcher = Launcher(binary=Path(ffmpeg_binary()))
        ended = await launcher.run(args, folder=self.folder, leash=Leash(), limits=_LIMITS, source=self.film)
        assert ended.code == 0, ended.log
        self.log.append(ended.log)

    async def prove(self) -> None:
        """A package: decode all of it, which is what its proof costs."""
        (planned,) = self.plan.outputs
        if planned.package is None:
            (log,) = self.log
            looked = Judging(plan=planned, path=self.result, source=self.film, media=self.media, log=log)
            judged = await judge(looked)
            assert judged.code is None, judged.proof
        for rendition in planned.renditions:
            playlist = next((self.result / rendition.name).glob("*.m3u8"))
            _ffmpeg("-xerror", "-threads", str(self.threads), "-i", playlist, "-f", "null", "-")


def indexed(name: str) -> Path:
    """The film, in a container with an index."""
    film = public_clip(name)
    return film if film.suffix != ".ts" else made("film.mkv", "-i", str(film), "-c", "copy")


def _ffmpeg(*args: str | Path) -> None:
    subprocess.run([ffmpeg_binary(), "-v", "error", "-nostdin", "-y", *args], check=True)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
