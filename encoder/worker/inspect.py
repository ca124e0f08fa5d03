"""Looks at a source and makes nothing of it: what `POST /probe` and a dry run tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from encoder import errors
from encoder.ffmpeg import chunks, command, cuts, joint, lift, listen, sparse, whole
from encoder.ffmpeg.abilities import Abilities
from encoder.ffmpeg.estimate import estimate
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import survey
from encoder.model import beside
from encoder.model.base import replace
from encoder.model.chunk import Split
from encoder.model.ids import TenantId
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.media import Media, Surveyed
from encoder.model.plan import OutputPlan, Plan, Refusal
from encoder.model.preview import Preview
from encoder.sources.registry import Sources
from encoder.worker.beside import Beside, Found
from encoder.worker.choice import choose
from encoder.worker.fetch import Fetch
from encoder.worker.scratch import Scratch

AT_ONCE = 2
LIMIT_S = 55.0  # the whole request has 60


class Slots(Protocol):
    """What of a store is needed."""

    async def free_slots(self, queue: str, tenant_id: TenantId) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """Fetches and probes in the process that is asked, a few at a time."""

    sources: Sources
    fetch: Fetch
    beside: Beside
    ffmpeg: Launcher
    abilities: Abilities
    scratch: Scratch
    turns: asyncio.Semaphore
    slots: Slots
    chunk_seconds: float

    async def inspect(self, source: Place) -> Media:
        """The facts of a source.

        Raises:
            errors.Failure: why a job with this source would fail; `timeout` when it is too large to be seen so fast.
        """
        return (await self._surveyed(source)).media

    async def _surveyed(self, source: Place, *, entries: bool = False, ends: tuple[float, ...] = ()) -> Surveyed:
        async with self._turn() as folder:
            path = folder / "source"
            await self.fetch(
                self.sources.make(source), path, kind=self.sources.label(source), told=lambda _have, _size: None
            )
            leash = Leash()
            try:
                return await survey(self.ffmpeg, path, folder=folder, leash=leash, entries=entries, ends=ends)
            finally:
                leash.kill()

    async def preview(self, spec: JobSpec, tenant_id: TenantId) -> Preview:
        """What would be made of a job, by which commands, at what cost. Raises as `inspect`."""
        entries, ends = sparse.wanted(spec.outputs), cuts.wanted(spec.outputs)
        surveyed = await self._surveyed(spec.source, entries=entries, ends=ends)
        media = surveyed.media
        outputs = dict(enumerate(spec.outputs))
        found = await self._beside(outputs)
        planned = {number: output for number, output in outputs.items() if number not in found.failed}
        plan = decide(media, planned, self.abilities, found.marks, surveyed.entries, found.scripts, surveyed.cuts)
        refused = (Refusal(output=n, code=why.code, message=why.message) for n, why in found.failed.items())
        plan = replace(plan, refused=(*plan.refused, *refused))
        plan, split = choose(
            whole.kept(plan, media),
            media,
            specs=planned,
            free_slots=max(0, await self.slots.free_slots(spec.queue, tenant_id) - 1),  # one will be the job's own
            chunk_seconds=self.chunk_seconds,
            identity="",
        )
        return Preview(
            media=media,
            plan=plan,
            commands=tuple(_commands(plan, output, media, split) for output in plan.outputs),
            estimates=tuple(estimate(output, media) for output in plan.outputs),
        )

    async def _beside(self, outputs: Mapping[int, OutputSpec]) -> Found:
        if not any(beside.sources(output) for output in outputs.values()):
            return Found()
        async with self._turn() as folder:
            leash = Leash()
            try:
                return await self.beside(outputs, folder=folder, leash=leash)
            finally:
                leash.kill()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Path]:
        try:
            async with asyncio.timeout(LIMIT_S), self.turns, self.scratch.folder(f"inspect-{uuid4()}") as folder:
                yield folder
        except TimeoutError:
            raise errors.Transient("timeout", f"The source was not seen within {LIMIT_S:.0f} s.") from None


def _commands(plan: Plan, output: OutputPlan, media: Media, split: Split | None) -> tuple[tuple[str, ...], ...]:
    """The runs that make one output, with the files as they would be called; of one in chunks, its first chunk."""
    chunk = next((chunk for chunk in split.chunks if output.output in chunk.outputs), None) if split else None
    if chunk is not None:
        pieces, one_pass = chunks.part(plan, media, chunk)
        names = {number: Path(joint.file_name(chunk, *key)) for number, key in enumerate(chunks.streams(plan, chunk))}
        runs = command.first(pieces, one_pass), command.build(pieces, one_pass, files=names)
        return tuple(tuple(command.shown(args, Path())) for args in runs if args is not None)
    one_pass = next(one_pass for one_pass in plan.passes if output.output in one_pass.outputs)
    files = {number: Path(plan.output(number).file_name) for number in one_pass.outputs}
    lifted = lift.run([output], source_args=command.INPUT_OPTIONS)
    heard = listen.runs(output, source_args=command.INPUT_OPTIONS)
    first, second = command.first(plan, one_pass), command.build(plan, one_pass, files=files)
    return tuple(tuple(command.shown(args, Path())) for args in (lifted, *heard, first, second) if args is not None)
