"""What of the source the workers need who make its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import chunks, probe
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.probe import Lacking, Mapped, Span
from encoder.log import get_logger
from encoder.model.chunk import Chunk
from encoder.model.extent import Extent, Needed, size_bytes
from encoder.model.media import Media
from encoder.model.plan import Plan
from encoder.worker.context import Fetched

log = get_logger(__name__)

_AHEAD_SECONDS, _AHEAD_FRAMES = 3, 128  # what ffmpeg has read by the time that it has made the last frame of a chunk
_AHEAD_SECONDS_UNEVEN = 12  # more than the longest gap between frames
_RATE = Fraction(25)  # of what tells none
_MOST_SHARE = 0.8  # of the source: to spare less is not worth several connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Asks what of a file is needed. `folder`: the run's, where the prober lives."""

    ffmpeg: Launcher
    folder: Path
    leash: Leash

    async def of(self, fetched: Fetched, plan: Plan, media: Media, wanted: Sequence[Chunk]) -> list[Needed | None]:
        """For each of these chunks; None: the whole source, or as good as.

        Raises:
            errors.LeaseLost: the leash was cut.
        """
        try:
            mapped = await self.extents(fetched.path, plan, media, wanted)
        except errors.Failure as failure:
            log.info("needed.not_told", code=failure.code)
            mapped = ()
        if isinstance(mapped, Lacking) or not mapped:
            return [None] * len(wanted)
        most_bytes = fetched.size_bytes * _MOST_SHARE
        return [
            Needed(extents=extents, size_bytes=fetched.size_bytes, validator=fetched.validator)
            if size_bytes(extents) <= most_bytes
            else None
            for extents in mapped
        ]

    async def extents(
        self, path: Path, plan: Plan, media: Media, wanted: Sequence[Chunk], there: Sequence[Extent] = ()
    ) -> Mapped | Lacking:
        """As `probe.extents`, of these chunks."""
        pictures = {stream.video.source_index for each in plan.outputs for stream in each.streams if stream.video}
        return await probe.extents(
            self.ffmpeg,
            path,
            [span(plan, media, chunk) for chunk in wanted],
            streams=sorted(pictures),
            folder=self.folder,
            leash=self.leash,
            there=there,
        )


def span(plan: Plan, media: Media, chunk: Chunk) -> Span:
    """What of the source ffmpeg reads for a chunk, in seconds from its first moment: before the first frame of it, to
    after the last. Pure.
    """
    pieces, one_pass = chunks.part(plan, media, chunk)
    origin, part, video = pieces.outputs[0].seek_seconds, one_pass.part, pieces.outputs[0].video
    if part is None or video is None:
        raise errors.Defect("a chunk that is no part of a picture")
    source = next(each for each in media.video if each.index == video.source_index)
    ahead = max(_AHEAD_SECONDS, float(_AHEAD_FRAMES / Fraction(source.median_rate or _RATE)))
    if source.variable_rate:
        ahead = max(ahead, _AHEAD_SECONDS_UNEVEN)
    end = None if part.end_seconds is None else origin + part.end_seconds + ahead
    return max(0.0, origin + part.enter_seconds), end
