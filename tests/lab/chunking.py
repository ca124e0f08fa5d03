"""One source made whole and in chunks by the worker's own stages, so that a test can hold the two side by side."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from encoder.ffmpeg import chunks
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model import base
from encoder.model.chunk import ChunkMade, Split
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan, Pass, Plan, VideoPlan
from encoder.worker.captions import Captions
from encoder.worker.context import Fetched, Made, Proven, Run
from encoder.worker.encode import Encode
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.join import Join
from encoder.worker.verify import Verify
from tests.lab.broken import run_in
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary

THREADS = 2
_LOSSLESS = (("-preset", "ultrafast"), ("-qp", "0"))


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
        folder.mkdir(parents=True, exist_ok=True)
        launcher = Launcher(binary=Path(ffmpeg_binary()), threads=THREADS)
        run, here = run_in(folder), folder / "source"
        shutil.copy(path, here)
        media = (await survey(launcher, here, folder=folder, leash=run.held.leash)).media
        plan = decide(media, dict(enumerate(outputs)), ABLE)
        assert not plan.refused, plan.refused
        fetched = Fetched(path=here, size_bytes=here.stat().st_size, seconds=0.0)
        plan = await Captions(launcher, by_descriptor=True)(run, fetched, plan)
        return cls(run=run, source=fetched, media=media, plan=plan, launcher=launcher)

    def elsewhere(self, folder: Path) -> Bench:
        """The same in another folder."""
        folder.mkdir(parents=True)
        for each in self.run.folder.iterdir():
            if each.is_file():
                os.link(each, folder / each.name)
        return replace(self, run=run_in(folder), source=replace(self.source, path=folder / "source"))

    def lossless(self) -> Bench:
        """The same with encoders that keep every bit of what they are given, and no sound."""
        return replace(self, plan=base.replace(self.plan, outputs=tuple(map(_kept, self.plan.outputs))))

    @property
    def encode(self) -> Encode:
        return Encode(self.launcher, by_descriptor=True, threads=THREADS, clock=time.monotonic)

    def split(self, seconds: float) -> Split | None:
        return chunks.split(self.plan, self.media, seconds=seconds, identity="lab")

    async def whole(self) -> list[Made]:
        return [each for one in self.plan.passes for each in await self.encode(self.run, self.source, self.plan, one)]

    async def chunks(self, split: Split) -> list[ChunkMade]:
        """All chunks, the last one first: none may need another."""
        make = EncodeChunk(self.launcher, by_descriptor=True, threads=THREADS, clock=time.monotonic)
        return [(await make(self.run, self.source, self.media, self.plan, each))[0] for each in reversed(split.chunks)]

    async def joined(self, split: Split, made: Sequence[ChunkMade]) -> list[Made]:
        """Each output by itself, as one task does it."""
        join = Join(self.encode)
        results: list[Made] = []
        for number in sorted({number for chunk in split.chunks for number in chunk.outputs}):
            results += await join(
                self.run, self.source, self.media, self.plan, Pass(outputs=(number,)), made, self.run.folder
            )
        return results

    async def in_chunks(self, seconds: float) -> list[Made]:
        split = self.split(seconds)
        assert split is not None, [chunks.hindrance(each, self.media) for each in self.plan.outputs]
        return await self.joined(split, await self.chunks(split))

    async def proven(self, made: Made) -> Proven | None:
        return await Verify(self.launcher, by_descriptor=True, clock=time.monotonic)(self.run, self.media, made)


def _kept(output: OutputPlan) -> OutputPlan:
    renditions = tuple(_kept(each) for each in output.renditions if each.video is not None)
    video = None if output.video is None else _exact(output.video)
    file = {} if output.package or output.name else {"container": "mkv", "muxer": "matroska", "extension": "mkv"}
    return base.replace(
        output, renditions=renditions, video=video, audio=None, more_audio=(), subtitles=(), faststart=False, **file
    )


def _exact(video: VideoPlan) -> VideoPlan:
    grid = (("-g", str(video.gop_frames)), ("-keyint_min", str(video.gop_frames)), ("-sc_threshold", "0"))
    return base.replace(
        video,
        encoder="libx264",
        codec="h264",
        codec_tag=None,
        options=(*_LOSSLESS, *grid),
        two_pass=False,
        profile=None,
        level=None,
    )
