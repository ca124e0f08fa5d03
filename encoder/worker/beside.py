"""What outputs read beside the source, onto the local disk: each place fetched once, through the guard of sources.

Watermarks are looked at in the box; files of subtitles are text, and written anew by ourselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from encoder import errors
from encoder.ffmpeg import captions
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.probe import inspect
from encoder.model.job import OutputSpec, Place
from encoder.model.plan import Mark, Script
from encoder.sources.registry import Sources
from encoder.worker.fetch import Fetch, FetchLimits

LIMITS = FetchLimits(size_bytes=32 * 1024**2, total_s=300.0)
PICTURES = ("png_pipe", "jpeg_pipe", "webp_pipe")

T = TypeVar("T", Mark, Script)
Seen = list[tuple[Place, T | errors.Failure]]


@dataclass(frozen=True, slots=True)
class Found:
    """By output: its watermark, its files of subtitles, or why it has none."""

    marks: dict[int, Mark] = field(default_factory=dict)
    scripts: dict[int, tuple[Script, ...]] = field(default_factory=dict)
    failed: dict[int, errors.Failure] = field(default_factory=dict)


class Beside:
    """Fetches watermarks and subtitles. `fetch`: with `LIMITS`."""

    def __init__(self, sources: Sources, fetch: Fetch, ffmpeg: Launcher) -> None:
        self._sources = sources
        self._fetch = fetch
        self._ffmpeg = ffmpeg

    async def __call__(self, specs: Mapping[int, OutputSpec], *, folder: Path, leash: Leash) -> Found:
        """All of these outputs, in `folder`. `specs`: with their secrets.

        Raises:
            errors.Resource: the disk is full.
        """
        found = Found()
        marks: Seen[Mark] = []
        scripts: Seen[Script] = []

        async def mark(place: Place) -> Mark:
            return await self._mark(place, folder / f"watermark-{len(marks)}", leash)

        async def script(place: Place) -> Script:
            return await self._script(place, folder / f"script-file-{len(scripts)}")

        for number, spec in specs.items():
            try:
                if spec.watermark is not None:
                    found.marks[number] = await _once(marks, spec.watermark.source, mark)
                files = spec.subtitles.files if spec.subtitles else ()
                found.scripts[number] = tuple([await _once(scripts, file.source, script) for file in files])
            except errors.OF_THE_JOB as failure:
                found.failed[number] = failure
        return found

    async def _mark(self, place: Place, path: Path, leash: Leash) -> Mark:
        with _told_of("watermark"):
            await self._fetched(place, path)
            media = await inspect(self._ffmpeg, path, folder=path.parent, leash=leash)
            if media.format not in PICTURES:
                raise errors.Permanent("unsupported_format", "It is no PNG, JPEG or WebP.")
        return Mark(file=path.name, demuxer=media.format)

    async def _script(self, place: Place, path: Path) -> Script:
        with _told_of("file of subtitles"):
            await self._fetched(place, path)
            return await asyncio.to_thread(_rewritten, path)

    async def _fetched(self, place: Place, path: Path) -> None:
        source = self._sources.make(place)
        await self._fetch(source, path, kind=self._sources.label(place), told=lambda _have, _size: None)


async def _once(seen: Seen[T], place: Place, fetched: Callable[[Place], Awaitable[T]]) -> T:
    known = next((result for other, result in seen if other == place), None)
    if known is None:
        try:
            known = await fetched(place)
        except errors.OF_THE_JOB as failure:
            known = failure
        seen.append((place, known))
    if isinstance(known, errors.Failure):
        raise known
    return known


@contextmanager
def _told_of(what: str) -> Iterator[None]:
    """Say of a failure which of a job's files it is about."""
    try:
        yield
    except errors.OF_THE_JOB as failure:
        told = f"The {what} cannot be used. {failure.message}"
        raise type(failure)(failure.code, told, retry_after_s=failure.retry_after_s) from failure


def _rewritten(path: Path) -> Script:
    """The text as we write it: nothing else that may lie in the file goes further."""
    text = captions.decoded(path.read_bytes())
    found = captions.read(text, captions.form_of(text))
    if not found.listed:
        raise errors.Permanent("unsupported_format", "It is no SRT, WebVTT or ASS, or says nothing.")
    named = path.with_suffix(f".{captions.EXTENSIONS[found.form]}")
    named.write_text(captions.written(found), encoding="utf-8")
    return Script(file=named.name, form=found.form)
