"""What a worker is made of, on an open store."""

from __future__ import annotations

import os
import socket
from uuid import uuid4

from encoder import __version__
from encoder.ffmpeg.abilities import Abilities
from encoder.model.base import to_json
from encoder.model.chunk_work import ASSEMBLE, CHUNK
from encoder.model.ids import WorkerId
from encoder.queue.lease import LeaseTimes
from encoder.settings import Settings
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Store
from encoder.wiring.machine import Machine
from encoder.wiring.site import clock, uniform
from encoder.worker.assemble import Assemble
from encoder.worker.attempt import Attempts
from encoder.worker.budget import Budget
from encoder.worker.chunk import MakeChunk
from encoder.worker.chunk_store import ChunkStore
from encoder.worker.claimer import Claimer, Line
from encoder.worker.evidence import Witness
from encoder.worker.join import Join
from encoder.worker.loop import Handler, Rhythm, Worker
from encoder.worker.notify import Notify
from encoder.worker.scratch import Scratch
from encoder.worker.splitting import Splitting
from encoder.worker.transcode import Transcode


async def new_worker(
    machine: Machine, store: Store, scratch: Scratch, budget: Budget, claimer: Claimer | None = None
) -> Worker:
    """One. `scratch`: for its work in progress. `claimer`: for one that does not stand at the line of its queues."""
    abilities = await machine.abilities()
    witness = Witness(machine.ffmpeg, abilities=abilities, kept_at=machine.storage.destination, threads=machine.threads)
    pipeline = machine.pipeline(
        abilities, scratch, sources=machine.sources, destinations=machine.destinations, witness=witness
    )
    attempts = Attempts(store, machine.vault, budget, uniform=uniform)
    exchange = ChunkStore(machine.storage, machine.fetch(scratch), machine.transfers, uniform=uniform)
    encode_chunk = machine.encode_chunk(abilities)
    handlers: dict[str, Handler] = {
        "transcode": Transcode(
            attempts,
            pipeline,
            Splitting(
                exchange, machine.ffmpeg, version=abilities.version, chunk_seconds=machine.settings.chunk_seconds
            ),
        ),
        CHUNK: MakeChunk(
            attempts=attempts,
            places=pipeline.places,
            fetch=pipeline.fetch,
            store=exchange,
            encode=encode_chunk,
            threads=pipeline.threads,
            clock=clock,
        ),
        ASSEMBLE: Assemble(
            attempts=attempts,
            pipeline=pipeline,
            store=exchange,
            encode=encode_chunk,
            join=Join(pipeline.encode),
            threads=pipeline.threads,
        ),
        "notify": Notify(store, machine.vault, machine.sender, uniform=uniform),
    }
    return Worker(
        store,
        _info(machine, abilities),
        handlers,
        _rhythm(machine.settings),
        budget,
        claimer or Line(store),
        clock=clock,
        uniform=uniform,
    )


def _info(machine: Machine, abilities: Abilities) -> WorkerInfo:
    settings = machine.settings
    slots = {"io": settings.io_slots}
    return WorkerInfo(
        id=WorkerId(uuid4()),
        host=socket.gethostname(),
        pid=os.getpid(),
        version=__version__,
        queues=settings.worker_queues,
        slots={queue: slots.get(queue, settings.worker_slots) for queue in settings.worker_queues},
        encoders=tuple(sorted(abilities.encoders)),
        about={
            "ffmpeg": abilities.version,
            "sandbox": to_json(machine.ffmpeg.layers),
            "warnings": [f"{each.name} ({each.part}): {each.guard}" for each in abilities.weaknesses],
        },
    )


def _rhythm(settings: Settings) -> Rhythm:
    return Rhythm(
        times=LeaseTimes(settings.lease_seconds),
        poll_s=settings.poll_seconds,
        progress_s=settings.progress_seconds,
        drain_s=settings.drain_seconds,
    )
