"""Decodes a whole result for its proof, and looks at its source where the result is black or stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg import containers, decoding, watch
from encoder.ffmpeg.exits import Exit
from encoder.ffmpeg.formats import DEMUXER_OF, DEMUXERS, input_options
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.watch import Content, Doubt
from encoder.model.plan import OutputPlan

LIMITS = Limits(wall_seconds=6 * 3600.0, cpu_seconds=None, file_bytes=watch.MOST_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """`source`: of the result. `folder`: where ffmpeg runs; `by_descriptor`: this ffmpeg has the `fd` protocol.

    Raises:
        errors.LeaseLost: the leash was cut.
    """

    ffmpeg: Launcher
    source: Path
    folder: Path
    leash: Leash
    by_descriptor: bool = True

    async def decoded(self, plan: OutputPlan, path: Path) -> tuple[Exit, Content | None]:
        """What came of decoding `path`, and what its picture shows: None where that does not matter."""
        strip = self.folder / f"{path.name}.strip" if watch.applies(plan) else None
        try:
            demuxer = DEMUXER_OF[containers.CONTAINERS[plan.container].muxer]
            opened = self._opened(path, formats=(demuxer,))
            args = decoding.whole(source_args=opened, strip=strip, text=bool(plan.subtitles))
            ended = await self._run(args, path)
            if strip is None or ended.code:
                return ended, None
            doubts = watch.doubts(await asyncio.to_thread(strip.read_bytes))
            return ended, Content(doubts=tuple([(doubt, await self._is_so(plan, doubt, strip)) for doubt in doubts]))
        finally:
            if strip is not None:
                strip.unlink(missing_ok=True)

    async def _is_so(self, plan: OutputPlan, doubt: Doubt, strip: Path) -> bool | None:
        args = watch.source(plan, doubt, strip, source_args=self._opened(self.source))
        ended = await self._run(args, self.source)
        return None if ended.code else watch.is_so(doubt, await asyncio.to_thread(strip.read_bytes))

    def _opened(self, path: Path, *, formats: Sequence[str] = DEMUXERS) -> Sequence[str]:
        return input_options(None if self.by_descriptor else path, formats=formats)

    async def _run(self, args: list[str], path: Path) -> Exit:
        return await self.ffmpeg.run(args, folder=self.folder, leash=self.leash, limits=LIMITS, source=path)
