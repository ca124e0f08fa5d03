"""One source made whole and in chunks, by the worker's own stages; and how far apart the two are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import chunks
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model.chunk import ChunkMade, Split
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Pass, Plan
from encoder.worker.captions import Captions
from encoder.worker.chunked import EncodeChunk
from encoder.worker.context import Fetched, Made, Proven, Run
from encoder.worker.encode import Encode
from encoder.worker.join import Join
from encoder.worker.verify import Verify
from tests.lab.broken import run_in
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary

THREADS = 2


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A source in a folder, with its plan, and the stages that work on it."""

    run: Run
    source: Fetched
    media: Media
    plan: Plan
    launcher: Launcher

    @classmethod
    async def of(cls, path: Path, folder: Path, *outputs: OutputSpec) -> Bench:
        launcher = Launcher(binary=Path(ffmpeg_binary()), threads=THREADS)
        run = run_in(folder)
        here = folder / "source"
        here.hardlink_to(path) if path.stat().st_dev == folder.stat().st_dev else here.write_bytes(path.read_bytes())
        media = (await survey(launcher, here, folder=folder, leash=run.held.leash)).media
        plan = decide(media, dict(enumerate(outputs)), ABLE)
        assert not plan.refused, plan.refused
        fetched = Fetched(path=here, size_bytes=here.stat().st_size, seconds=0.0)
        plan = await Captions(launcher, by_descriptor=True)(run, fetched, plan)
        return cls(run=run, source=fetched, media=media, plan=plan, launcher=launcher)

    @property
    def encode(self) -> Encode:
        return Encode(self.launcher, by_descriptor=True, threads=THREADS, clock=time.monotonic)

    def split(self, seconds: float) -> Split:
        found = chunks.split(self.plan, self.media, seconds=seconds, identity="lab")
        assert found is not None, [chunks.hindrance(each, self.media) for each in self.plan.outputs]
        return found

    async def whole(self) -> list[Made]:
        return [each for one in self.plan.passes for each in await self.encode(self.run, self.source, self.plan, one)]

    async def chunks(self, split: Split) -> list[ChunkMade]:
        """All chunks, the last one first: none may need another."""
        make = EncodeChunk(self.launcher, by_descriptor=True, threads=THREADS, clock=time.monotonic)
        return [(await make(self.run, self.source, self.media, self.plan, each))[0] for each in reversed(split.chunks)]

    async def joined(self, split: Split, made: Sequence[ChunkMade]) -> list[Made]:
        numbers = tuple(sorted({number for chunk in split.chunks for number in chunk.outputs}))
        join = Join(self.encode)
        return await join(self.run, self.source, self.media, self.plan, Pass(outputs=numbers), made, self.run.folder)

    async def proven(self, made: Made) -> Proven | None:
        return await Verify(self.launcher, by_descriptor=True, clock=time.monotonic)(self.run, self.media, made)
