"""The stills of an output and of its source, made by short runs of ffmpeg in the job's own folder."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from encoder.ffmpeg import codecs, containers, stills
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.formats import DEMUXER_OF, DEMUXERS, input_options
from encoder.ffmpeg.launcher import Launcher, Limits, Reason
from encoder.files.threads import in_thread
from encoder.log import get_logger
from encoder.model.evidence import Extent, Still
from encoder.model.media import Media, Opened
from encoder.model.plan import OutputPlan, Plan
from encoder.model.proof import Proof
from encoder.worker import renditions
from encoder.worker.context import Made, Run
from encoder.worker.scratch import remove

log = get_logger(__name__)

SOURCE_LIMIT_S = 25.0  # for all stills of one source that one output needs
RUN_LIMITS = Limits(wall_seconds=30.0, file_bytes=16 * 1024**2, memory_bytes=4 * 1024**3)


@dataclass(slots=True)
class Album:
    """Pictures by number, each kept once."""

    pictures: dict[bytes, int] = field(default_factory=dict)

    def add(self, picture: bytes) -> int:
        return self.pictures.setdefault(picture, len(self.pictures))

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Where each lies when they are written one after the other."""
        offset, found = 0, []
        for picture in self.pictures:
            found.append(Extent(offset=offset, size_bytes=len(picture)))
            offset += len(picture)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shots:
    """Makes the stills of one output, all of one `size`."""

    ffmpeg: Launcher
    abilities: Abilities
    threads: int | None
    run: Run
    source: Path
    media: Media
    made: Made
    size: tuple[int, int]
    album: Album

    async def of(self, stream: OutputPlan, opened: Opened, proof: Proof) -> tuple[Still, ...]:
        """Of one picture, a file's or a rendition's. `proof`: of the output.

        Raises:
            errors.Failure, OSError, ValueError: none could be made of the result.
        """
        frames = stills.moments(stream, opened, proof)
        of_result = await self._of_result(stream, opened, frames)
        copied = stream.video is not None and stream.video.encoder == codecs.COPY
        of_source = [None] * len(frames) if copied else await self._of_source(stream, frames)
        shown = []
        for frame, before, after in zip(frames, of_source, of_result, strict=True):
            at, in_source = stills.seconds(stream, frame)
            shown.append(Still(frame=frame, seconds=at, source_seconds=in_source, source=before, output=after))
        return tuple(shown)

    async def _of_result(self, stream: OutputPlan, opened: Opened, frames: Sequence[int]) -> list[int | None]:
        plan = stills.of_result(stream, opened, frames, self.size, able=self.abilities, whole=not stream.name)
        formats = (DEMUXER_OF[containers.CONTAINERS[stream.container].muxer],)
        if not stream.name:
            return await self._taken(plan, self.made.path, formats)
        part = self.run.folder / f"{self.made.path.name}.{stream.name}.{stream.extension}"
        try:
            await in_thread(renditions.rejoin_some, self.made.plan, stream, self.made.path, part, frames)
            return await self._taken(plan, part, formats)
        finally:
            remove(part)

    async def _of_source(self, stream: OutputPlan, frames: Sequence[int]) -> list[int | None]:
        """Those that could be had in time; outputs of one job that show the same share them."""
        found: list[int | None] = []
        try:
            async with asyncio.timeout(SOURCE_LIMIT_S):
                for plan in stills.of_source(stream, self.media, frames, self.size):
                    found += await self._taken(plan, self.source, DEMUXERS)
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("evidence.no_source", output=self.made.output, reason=str(error) or "too slow")
        return [*found, *[None] * len(frames)][: len(frames)]

    async def _taken(self, plan: Plan, path: Path, formats: Sequence[str]) -> list[int | None]:
        """The pictures of a run, by their numbers; None where it gave none.

        Raises:
            errors.LeaseLost: the leash was cut.
            ValueError: it gave nothing.
        """
        key = hashlib.sha256(repr((plan, path.name, formats)).encode()).hexdigest()[:16]
        shelf = self.run.folder / "stills" / key
        if not shelf.exists():
            await self._shoot(plan, path, formats, shelf)
        pictures = await in_thread(_read, [shelf / name for name in stills.names(plan)])
        return [None if picture is None else self.album.add(picture) for picture in pictures]

    async def _shoot(self, plan: Plan, path: Path, formats: Sequence[str], shelf: Path) -> None:
        """Smaller and smaller, until all are small enough."""
        source_args = input_options(None if self.abilities.reads_descriptors else path, formats=formats)
        work = shelf.with_suffix(".new")
        await in_thread(work.mkdir, parents=True)
        try:
            for quality in stills.QUALITIES:
                args = stills.argv(plan, work, source_args=source_args, threads=self.threads, quality=quality)
                ended = await self.ffmpeg.run(
                    args, folder=self.run.folder, leash=self.run.held.leash, limits=RUN_LIMITS, source=path
                )
                if ended.reason is not Reason.OK:
                    raise ValueError(f"{ended.reason}, exit {ended.code}: {ended.log[-300:]}")
                if await in_thread(_largest, work) <= stills.MOST_BYTES:
                    break
            await in_thread(work.rename, shelf)
        finally:
            remove(work)


def _read(paths: Sequence[Path]) -> list[bytes | None]:
    """Those that are there, and are no larger than they may be."""
    found = [path.read_bytes() if path.is_file() and not path.is_symlink() else None for path in paths]
    if not any(found):
        raise ValueError("no still was made")
    return [picture if picture and len(picture) <= stills.MOST_BYTES else None for picture in found]


def _largest(folder: Path) -> int:
    return max((path.lstat().st_size for path in folder.iterdir()), default=0)
