"""Watermarks onto the local disk: each place fetched once, through the guard of sources, and looked at in the box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from encoder import errors
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.probe import inspect
from encoder.model.job import OutputSpec, Place
from encoder.model.plan import Mark
from encoder.sources.registry import Sources
from encoder.worker.fetch import Fetch, FetchLimits

LIMITS = FetchLimits(size_bytes=32 * 1024**2, total_s=300.0)
PICTURES = ("png_pipe", "jpeg_pipe", "webp_pipe")


@dataclass(frozen=True, slots=True)
class Found:
    """By output: its watermark, or why it has none."""

    marks: dict[int, Mark] = field(default_factory=dict)
    failed: dict[int, errors.Failure] = field(default_factory=dict)


class Marks:
    """Fetches watermarks. `fetch`: with `LIMITS`."""

    def __init__(self, sources: Sources, fetch: Fetch, ffmpeg: Launcher) -> None:
        self._sources = sources
        self._fetch = fetch
        self._ffmpeg = ffmpeg

    async def __call__(self, specs: Mapping[int, OutputSpec], *, folder: Path, leash: Leash) -> Found:
        """The watermarks of these outputs, in `folder`. `specs`: with their secrets.

        Raises:
            errors.Resource: the disk is full.
        """
        found = Found()
        seen: list[tuple[Place, Mark | errors.Failure]] = []
        for number, spec in specs.items():
            if spec.watermark is None:
                continue
            place = spec.watermark.source
            known = next((result for other, result in seen if other == place), None)
            if known is None:
                known = await self._fetched(place, folder / f"watermark-{len(seen)}", leash)
                seen.append((place, known))
            if isinstance(known, Mark):
                found.marks[number] = known
            else:
                found.failed[number] = known
        return found

    async def _fetched(self, place: Place, path: Path, leash: Leash) -> Mark | errors.Failure:
        try:
            source = self._sources.make(place)
            await self._fetch(source, path, kind=self._sources.label(place), told=lambda _have, _size: None)
            media = await inspect(self._ffmpeg, path, folder=path.parent, leash=leash)
            if media.format not in PICTURES:
                raise errors.Permanent("unsupported_format", "It is no PNG, JPEG or WebP.")
        except errors.Resource:
            raise
        except errors.Failure as failure:
            told = f"The watermark cannot be used. {failure.message}"
            return type(failure)(failure.code, told, retry_after_s=failure.retry_after_s)
        return Mark(file=path.name, demuxer=media.format)
