"""A film in chunks on a worker of two slots, against it whole, one run of ffmpeg, and a script that splits and joins.

All take turns on the same two cores. CPU seconds are those of the encodes and all that belongs to them: of a job those
of its worker.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from encoder.embedded.postgres import Postgres
from encoder.model.base import Json
from tests.bench.measure import Busy, median, row
from tests.lab import platform
from tests.lab.media import ffmpeg_binary, made, public_clip

ROUNDS = 2
CORES = 2
_SOUND = ("-c:a", "libopus", "-b:a", "128k")
_AAC = ("-c:a", "aac", "-b:a", "128k")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An encode of some twenty CPU seconds. `by_hand`: what ffmpeg is told of picture and sound by who does it so."""

    output: dict[str, Json]
    by_hand: tuple[str, ...]
    sound: tuple[str, ...]
    seconds: int
    chunk_s: int
    extension: str


@dataclass(frozen=True, kw_only=True)
class Spent:
    """`busy`: the cores that it would keep busy, were it alone."""

    wall_s: float
    cpu_s: float
    busy: float


CASES = {
    "libaom-av1": Case(
        output={"preset": "av1", "width": 426, "height": 240},
        by_hand=(
            "-vf",
            "scale=426:240",
            "-c:v",
            "libaom-av1",
            "-cpu-used",
            "4",
            "-crf",
            "30",
            "-b:v",
            "0",
            "-row-mt",
            "1",
        ),
        sound=_SOUND,
        seconds=18,
        chunk_s=3,
        extension="webm",
    ),
    "libvpx-vp9": Case(
        output={"preset": "vp9", "width": 640, "height": 360},
        by_hand=(
            "-vf",
            "scale=640:360",
            "-c:v",
            "libvpx-vp9",
            "-cpu-used",
            "1",
            "-crf",
            "30",
            "-b:v",
            "0",
            "-row-mt",
            "1",
        ),
        sound=_SOUND,
        seconds=18,
        chunk_s=3,
        extension="webm",
    ),
    "libx264": Case(
        output={"preset": "h264"},
        by_hand=("-c:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p"),
        sound=_AAC,
        seconds=24,
        chunk_s=4,
        extension="mp4",
    ),
    "libsvtav1": Case(
        output={"preset": "av1-fast"},
        by_hand=("-c:v", "libsvtav1", "-preset", "8", "-crf", "35", "-pix_fmt", "yuv420p"),
        sound=_SOUND,
        seconds=24,
        chunk_s=4,
        extension="webm",
    ),
}
_SCRIPT = """set -eu
at() {{
  {ffmpeg} -v error -nostdin -y -ss $(($1 * {step})) -t {step} -i {source} -an {picture} -threads 1 part-$1.mkv
}}
export -f at
seq 0 {last} | xargs -P {cores} -I N bash -c 'at N'
{ffmpeg} -v error -nostdin -y -i {source} -vn {sound} sound.mka
for n in $(seq 0 {last}); do echo "file part-$n.mkv"; done > list
{ffmpeg} -v error -nostdin -y -f concat -i list -i sound.mka -map 0:v -map 1:a -c copy joined.{extension}
"""


async def run(rounds: str = str(ROUNDS), *names: str) -> None:
    """`chunks:3:libx264` makes three rounds of one encoder."""
    version = subprocess.run([ffmpeg_binary(), "-version"], capture_output=True, check=True).stdout.decode()
    row(
        "ffmpeg",
        version.split()[2],
        f"{os.cpu_count()} cores; medians of {rounds} rounds; load {os.getloadavg()[0]:.1f}",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with (
            Postgres(folder / "db").running() as dsn,
            platform.running(dsn, folder, workers=0, ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="info") as lab,
        ):
            for encoder in names or CASES:
                await _case(lab, encoder, CASES[encoder], int(rounds))


async def _case(lab: platform.Platform, encoder: str, case: Case, rounds: int) -> None:
    source = _film(case.seconds)
    ways: dict[str, Callable[[], Awaitable[Spent]]] = {
        "in chunks, two slots": lambda: _job(lab, source, case, chunked=True),
        "whole, one slot": lambda: _job(lab, source, case, chunked=False),
        "one run of ffmpeg": lambda: _single(lab.folder, source, case),
        "split and joined by a script": lambda: _script(lab.folder, source, case),
    }
    spent: dict[str, list[Spent]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, work in ways.items():
            spent[way].append(await work())
    row(f"{encoder}, {case.seconds} s in chunks of {case.chunk_s} s", "")
    for way, all_of_it in spent.items():
        wall, cpu = median([each.wall_s for each in all_of_it]), median([each.cpu_s for each in all_of_it])
        busy = median([each.busy for each in all_of_it])
        row(f"  {way}", f"{wall:.2f} s", f"{cpu:.2f} CPU s, {busy:.2f} cores busy if it were alone")
    ours = spent["in chunks, two slots"]
    over_cpu = median([each.wall_s * CORES / each.cpu_s for each in ours])
    row("  in chunks, over its CPU seconds / cores", f"{over_cpu:.3f}", "aim at most 1.1")
    row("    if it were alone", f"{median([CORES / each.busy for each in ours]):.3f}")
    for way in list(ways)[1:]:
        ratio = median([one.wall_s / other.wall_s for one, other in zip(ours, spent[way], strict=True)])
        alone = median([_alone(one) / _alone(other) for one, other in zip(ours, spent[way], strict=True)])
        row("    if each were alone", f"{alone:.3f}")
        row(f"  in chunks, over {way}", f"{ratio:.3f}", "aim at most 1.05" if way == "whole, one slot" else "")


def _film(seconds: int) -> Path:
    return made("film.mkv", "-i", str(public_clip("bbb_720p30.ts")), "-t", str(seconds), "-c", "copy")


async def _job(lab: platform.Platform, source: Path, case: Case, *, chunked: bool) -> Spent:
    """From submit to completed, by a worker that has begun."""
    async with _worker(lab, case, slots=CORES if chunked else 1) as pid:
        place: dict[str, Json] = {"kind": "file", "path": str(lab.folder / f"out.{case.extension}")}
        output = case.output | {"chunked": chunked, "destination": place}
        asked = {"source": {"kind": "file", "path": _within(lab.folder, source)}, "outputs": [output]}
        with Busy(pid, cores=CORES, itself=True) as busy:
            before, begun = _cpu_s(pid), time.monotonic()
            done = await lab.ended(await lab.submit(asked), within_s=900)
            wall_s = time.monotonic() - begun
            assert done["status"] == "completed", done
            return Spent(wall_s=wall_s, cpu_s=_cpu_s(pid) - before, busy=busy.lap())


@asynccontextmanager
async def _worker(lab: platform.Platform, case: Case, *, slots: int) -> AsyncIterator[int]:
    """Its process; gone afterwards."""
    told = {"ENCODER_WORKER_SLOTS": str(slots), "ENCODER_CHUNK_SECONDS": str(case.chunk_s)}
    role = await lab.start("worker", **told)
    try:
        await platform.until(lambda: _ready(role), within_s=30)
        yield role.process.pid
    finally:
        role.signal(signal.SIGTERM)
        await role.ended()
        lab.roles.remove(role)


async def _ready(role: platform.Role) -> bool:
    """It has asked ffmpeg what it can do, and waits."""
    assert role.process.returncode is None, role.log.read_text()
    return _cpu_s(role.process.pid) > 0 and "worker.started" in role.log.read_text()


def _within(folder: Path, source: Path) -> str:
    path = folder / source.name
    path.write_bytes(source.read_bytes())
    return str(path)


async def _single(folder: Path, source: Path, case: Case) -> Spent:
    told = ("-v", "error", "-nostdin", "-y", "-i", str(source), *case.by_hand, *case.sound, "-threads", str(CORES))
    return await _spent(ffmpeg_binary(), *told, f"single.{case.extension}", folder=folder)


async def _script(folder: Path, source: Path, case: Case) -> Spent:
    text = _SCRIPT.format(
        ffmpeg=ffmpeg_binary(),
        source=source,
        step=case.chunk_s,
        last=case.seconds // case.chunk_s - 1,
        picture=shlex.join(case.by_hand),
        sound=shlex.join(case.sound),
        cores=CORES,
        extension=case.extension,
    )
    return await _spent("bash", "-c", text, folder=folder)


async def _spent(*command: str, folder: Path) -> Spent:
    before, begun = _children_s(), time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdin=asyncio.subprocess.DEVNULL)
    with Busy(process.pid, cores=CORES, itself=True) as busy:
        assert await process.wait() == 0, command
        return Spent(wall_s=time.monotonic() - begun, cpu_s=_children_s() - before, busy=busy.lap())


def _alone(spent: Spent) -> float:
    """Seconds."""
    return spent.cpu_s / spent.busy


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_s(pid: int) -> float:
    """Of a process and of all its children that have ended."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(number) for number in told[11:15]) / os.sysconf("SC_CLK_TCK")
