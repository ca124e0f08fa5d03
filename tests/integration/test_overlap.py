"""A source that is encoded while it arrives: what is made before its end, what is kept of it, and what comes out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest

from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.metrics.transfer import Transfers
from encoder.model import base
from encoder.model.chunk import Chunk, ChunkMade
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Plan
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.store.rows import Live
from encoder.worker import ahead as early
from encoder.worker.arrival import Arrival
from encoder.worker.context import Ahead, Fetched, Run
from encoder.worker.encode import Encode
from encoder.worker.encode_chunk import EncodeChunk, Files, as_it_is
from encoder.worker.fetch import Fetch, FetchLimits
from encoder.worker.join import Join
from encoder.worker.overlap import Overlap
from encoder.worker.scratch import Scratch
from encoder.worker.together import together
from encoder.worker.verify import Verify
from tests.lab.broken import run_in
from tests.lab.facts import ABLE, spec
from tests.lab.media import ffmpeg_binary, made
from tests.lab.throttled import Throttled, serving
from tests.lab.wire import lab_web

OUTPUT = spec("h264", encoderPreset="ultrafast", height=90)
CARD = ("-f", "lavfi", "-i", "testsrc2=d=12:s=320x180:r=25,noise=alls=30:allf=t,format=yuvj420p")
SOUND = ("-f", "lavfi", "-i", "sine=d=12:r=48000", "-c:a", "aac")


def last() -> Path:
    return made("last.mov", *CARD, *SOUND, "-c:v", "mjpeg", "-q:v", "4")


def first() -> Path:
    return made("first.mov", "-i", str(last()), "-c", "copy", "-movflags", "+faststart")


class Telling(EncodeChunk):
    """Lets the rest of the source come when so many chunks are made."""

    enough = 1
    served: Throttled

    async def __call__(
        self,
        run: Run,
        source: Fetched,
        media: Media,
        plan: Plan,
        chunk: Chunk,
        *,
        shown: Callable[[Live], Live] = as_it_is,
    ) -> tuple[ChunkMade, Files]:
        found = await super().__call__(run, source, media, plan, chunk, shown=shown)
        self.enough -= 1
        if not self.enough:
            self.served.goes_on.set()
        return found


@dataclass(frozen=True, kw_only=True)
class Lab:
    """One source on its way, and what may be made of it."""

    run: Run
    served: Throttled
    overlap: Overlap
    launcher: Launcher

    async def arrived(self, *outputs: OutputSpec) -> tuple[Fetched, Ahead]:
        arrival = Arrival(self.run.folder / "source", clock=time.monotonic)
        source = Sources(Surroundings(web=lab_web(idle_s=60))).make({"kind": "http", "url": self.served.url})
        specs = dict(enumerate(outputs))
        async with together() as group:
            looking = group.create_task(self.overlap(self.run, source, arrival, specs, kind="http"))
            looking.add_done_callback(lambda _: self.served.goes_on.set())
            got = await self.overlap.fetch(
                source, arrival.path, kind="http", told=lambda have, _: arrival.told(have), begun=arrival.begun
            )
            arrival.end()
        return Fetched(path=arrival.path, size_bytes=got.size_bytes, seconds=0.0), looking.result()

    async def planned(self, fetched: Fetched, *outputs: OutputSpec) -> tuple[Media, Plan]:
        media = (await survey(self.launcher, fetched.path, folder=self.run.folder, leash=self.run.held.leash)).media
        return media, decide(media, dict(enumerate(outputs)), ABLE)


@asynccontextmanager
async def lab(path: Path, folder: Path, *, held: float = 0.8) -> AsyncIterator[Lab]:
    folder = folder / "run"
    folder.mkdir()
    launcher = Launcher(binary=Path(ffmpeg_binary()), threads=2)
    encode = Telling(launcher, by_descriptor=True, threads=2, clock=time.monotonic)
    scratch = Scratch(folder.parent, uuid4())
    fetch = Fetch(
        scratch,
        Transfers(clock=time.monotonic),
        limits=FetchLimits(),
        clock=time.monotonic,
        uniform=lambda _low, _high: 0.0,
    )
    async with serving(path, rate_bytes_s=1e9, held_at=int(path.stat().st_size * held)) as encode.served:
        overlap = Overlap(
            fetch=fetch,
            encode=encode,
            join=Join(Encode(launcher, by_descriptor=True, threads=2, clock=time.monotonic)),
            ffmpeg=launcher,
            abilities=ABLE,  # type: ignore[arg-type]  # of the abilities it reads no more
            threads=2,
            clock=time.monotonic,
            least_s=0.0,
        )
        yield Lab(run=run_in(folder), served=encode.served, overlap=overlap, launcher=launcher)


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "LEAST_CHUNK_S", 2.0)


@pytest.mark.parametrize("index", ["first", "last"])
async def test_a_picture_is_begun_before_its_source_is_there_and_comes_out_proven(index: str, tmp_path: Path) -> None:
    path = {"first": first, "last": last}[index]()
    async with lab(path, tmp_path) as at:
        fetched, ahead = await at.arrived(OUTPUT)
        assert len(ahead.made) >= 1, ahead.why
        assert fetched.path.read_bytes() == path.read_bytes()
        assert len(at.served.asked) == (2 if index == "last" else 1)  # the index comes by itself, before the rest
        media, plan = await at.planned(fetched, OUTPUT)
        plan, kept = at.overlap.kept(ahead, plan, media)
        assert kept.made == ahead.made
        (result,) = await at.overlap.finish(at.run, fetched, media, plan, plan.passes[0], kept)
        assert result.parts is not None
        assert result.first_frame_at is not None
        proven = await Verify(at.launcher, by_descriptor=True, clock=time.monotonic)(at.run, media, result)
        assert proven is not None
        assert [note.code for note in plan.outputs[0].reasons].count("overlapped") == 1
        assert proven.opened.counts[0].shown == 300


async def test_what_the_whole_source_would_have_made_otherwise_is_made_anew(tmp_path: Path) -> None:
    async with lab(first(), tmp_path) as at:
        fetched, ahead = await at.arrived(OUTPUT)
        assert ahead.made, ahead.why
        media, plan = await at.planned(fetched, base.replace(OUTPUT, crf=30.0))
        plan, kept = at.overlap.kept(ahead, plan, media)
        assert kept.made == ()
        assert "not_overlapped" in [note.code for note in plan.outputs[0].reasons]


async def test_a_source_that_becomes_another_on_its_way_is_begun_anew(tmp_path: Path) -> None:
    async with lab(last(), tmp_path) as at:
        at.served.changes = True
        fetched, ahead = await at.arrived(OUTPUT)
        assert ahead.made == ()
        assert fetched.path.read_bytes() == last().read_bytes()


@pytest.mark.parametrize("output", [base.replace(OUTPUT, chunked=False), spec("audio-aac"), spec("thumbnails")])
async def test_what_is_not_made_in_chunks_waits_for_its_source(output: OutputSpec, tmp_path: Path) -> None:
    async with lab(first(), tmp_path) as at:
        _, ahead = await at.arrived(output)
        assert ahead.made == ()
        assert not [*at.run.folder.glob("0000")]


async def test_a_source_that_is_there_at_once_is_not_begun_before(tmp_path: Path) -> None:
    async with lab(first(), tmp_path) as at:
        patient = replace(at, overlap=replace(at.overlap, least_s=5.0))
        _, ahead = await patient.arrived(OUTPUT)
        assert ahead == Ahead()
