"""What this machine works with: ffmpeg, scratch, and the stages that use them."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from encoder import __version__, machine
from encoder.destinations.registry import Destinations
from encoder.ffmpeg import wheel
from encoder.ffmpeg.abilities import Abilities, read_abilities
from encoder.ffmpeg.launcher import Launcher, Sandbox
from encoder.ffmpeg.watchdog import Watchdog
from encoder.metrics import process
from encoder.metrics.transfer import Transfers
from encoder.model.base import to_json
from encoder.sources.registry import Sources
from encoder.wiring.site import Site, clock, uniform
from encoder.worker.aim import Aim
from encoder.worker.beside import LIMITS as BESIDE_LIMITS
from encoder.worker.beside import Beside
from encoder.worker.budget import Budget
from encoder.worker.captions import Captions
from encoder.worker.deliver import Deliver
from encoder.worker.encode import Encode
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.evidence import Unwitnessed, Witness
from encoder.worker.fetch import Fetch, FetchLimits
from encoder.worker.join import Join
from encoder.worker.measure import Measure
from encoder.worker.overlap import Overlap
from encoder.worker.pipeline import Pipeline
from encoder.worker.places import Places
from encoder.worker.scratch import Scratch
from encoder.worker.verify import Verify


@dataclass(frozen=True)
class Machine(Site):
    """What needs no database."""

    def require(self, *, worker: bool) -> None:
        """Build what needs neither database nor network, so that a wrong setting is told before anything starts."""
        Sources.require_distinct()
        Destinations.require_distinct()
        _ = (self.vault, self.policy, self.storage_place, self.ffmpeg, self.addresses, self.origins, self.queues)
        if worker or self.settings.webhook_secret:
            _ = self.sender

    @cached_property
    def ffmpeg(self) -> Launcher:
        binary = self.settings.ffmpeg or wheel.binary()
        return Launcher(
            binary=binary, sandbox=Sandbox(self.settings.sandbox), threads=self.threads, dog=self._watchdog()
        )

    @cached_property
    def cores(self) -> int:
        """What encoders may keep busy."""
        return self.settings.cpus or machine.cores()

    @property
    def threads(self) -> int | None:
        """Per ffmpeg: the cores, shared out among the slots; one slot of a whole machine leaves the choice to it."""
        if self.settings.worker_slots == 1 and self.cores == os.cpu_count():
            return None
        return max(1, self.cores // self.settings.worker_slots)

    def _watchdog(self) -> Watchdog | None:
        """Where memory has a limit."""
        told, held = self.settings.memory_bytes, machine.held()
        if held is not None:
            return Watchdog(min(told or held.limit_bytes, held.limit_bytes), held.used_bytes)
        return None if told is None else Watchdog(told)

    @cached_property
    def scratch_root(self) -> Path:
        return (self.settings.scratch_dir or Path(tempfile.gettempdir()) / "encoder-scratch").resolve()

    def scratch(self) -> Scratch:
        """A scratch folder of this process's own; to be opened before its use, closed after."""
        return Scratch(self.scratch_root, uuid4(), limit_bytes=self.settings.scratch_bytes)

    async def abilities(self) -> Abilities:
        """What this machine's ffmpeg can do; asked once."""
        return await self._abilities

    @cached_property
    def _abilities(self) -> asyncio.Task[Abilities]:
        self.scratch_root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return asyncio.ensure_future(read_abilities(self.ffmpeg, folder=self.scratch_root))

    @cached_property
    def transfers(self) -> Transfers:
        return Transfers(clock=clock)

    def budget(self, scratch: Scratch) -> Budget:
        """What the workers of this process may have of its machine, together."""
        return Budget(scratch, memory_bytes=machine.memory_bytes(self.settings.memory_bytes))

    async def tell_what_it_is(self, *, schema: int) -> None:
        """For metrics."""
        process.is_made_of(
            version=__version__,
            commit=self.settings.commit,
            ffmpeg=(await self.abilities()).version,
            schema=schema,
            walls=to_json(self.ffmpeg.layers),
        )

    def pipeline(
        self,
        abilities: Abilities,
        scratch: Scratch,
        *,
        sources: Sources,
        destinations: Destinations,
        witness: Witness | Unwitnessed,
    ) -> Pipeline:
        """The stages of a worker."""
        by_descriptor, threads = abilities.reads_descriptors, self.threads
        measure = Measure(self.ffmpeg, by_descriptor=by_descriptor, threads=threads, clock=clock)
        fetch = self.fetch(scratch)
        encode = Encode(self.ffmpeg, by_descriptor=by_descriptor, threads=threads, clock=clock)
        return Pipeline(
            places=Places(sources=sources, destinations=destinations),
            fetch=fetch,
            overlap=Overlap(
                fetch=fetch,
                encode=self.encode_chunk(abilities),
                join=Join(encode),
                ffmpeg=self.ffmpeg,
                abilities=abilities,
                threads=threads or self.cores,
                clock=clock,
            ),
            beside=self.beside(scratch, sources),
            captions=Captions(self.ffmpeg, by_descriptor=by_descriptor),
            aim=Aim(self.ffmpeg, measure, by_descriptor=by_descriptor, threads=threads),
            encode=encode,
            verify=Verify(self.ffmpeg, by_descriptor=by_descriptor, clock=clock),
            measure=measure,
            witness=witness,
            deliver=Deliver(self.transfers, clock=clock, uniform=uniform),
            ffmpeg=self.ffmpeg,
            abilities=abilities,
            threads=threads or self.cores,
            clock=clock,
        )

    def encode_chunk(self, abilities: Abilities) -> EncodeChunk:
        return EncodeChunk(self.ffmpeg, by_descriptor=abilities.reads_descriptors, threads=self.threads, clock=clock)

    def fetch(self, scratch: Scratch, limits: FetchLimits | None = None) -> Fetch:
        return Fetch(scratch, self.transfers, limits=limits or FetchLimits(), clock=clock, uniform=uniform)

    def beside(self, scratch: Scratch, sources: Sources) -> Beside:
        return Beside(sources, self.fetch(scratch, BESIDE_LIMITS), self.ffmpeg)
