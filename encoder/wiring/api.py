"""What the API is made of, on an open store."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit
from uuid import uuid4

from encoder.api.auth import Gate, KeyGate, OpenGate
from encoder.api.cursor import Cursors
from encoder.api.ingest import Intake
from encoder.api.ingest_queue import QueueReader
from encoder.api.parts import Limits, Parts
from encoder.api.passes import Passes
from encoder.api.rates import Buckets, Rates
from encoder.model.ids import TenantId
from encoder.queue.arrive import Arrivals
from encoder.queue.ceiling import Ceiling
from encoder.queue.enqueue import Enqueue
from encoder.queue.fitness import Fitness
from encoder.queue.watch import Watcher
from encoder.settings import Settings
from encoder.storage.s3 import Room
from encoder.store.protocol import Store
from encoder.webhooks.endpoints import Endpoints
from encoder.wiring.checks import Checks
from encoder.wiring.machine import Machine
from encoder.wiring.site import clock, uniform
from encoder.worker.inspect import AT_ONCE, Inspector
from encoder.worker.scratch import Scratch


async def new_parts(machine: Machine, store: Store, scratch: Scratch, fitness: Fitness) -> Parts:
    """Those of an API. `scratch`: for the sources that it looks at."""
    settings, place = machine.settings, machine.storage_place
    ceiling = Ceiling(store, most=settings.open_jobs, clock=clock)
    checks = Checks(sources=machine.sources, destinations=machine.destinations, policy=machine.policy)
    return Parts(
        store=store,
        submit=Enqueue(
            store,
            machine.vault,
            max_attempts=settings.max_attempts,
            new_uuid=uuid4,
            secret_members=checks.secret_members,
            ceiling=ceiling,
        ),
        arrivals=Arrivals(store, machine.storage, ceiling, most_bytes=settings.upload_max_bytes),
        passes=Passes(public_url=machine.public_url, signer=machine.signer(b"uploads")),
        inspector=Inspector(
            sources=machine.sources,
            fetch=machine.fetch(scratch),
            beside=machine.beside(scratch, machine.sources),
            ffmpeg=machine.ffmpeg,
            abilities=await machine.abilities(),
            scratch=scratch,
            turns=asyncio.Semaphore(AT_ONCE),
            slots=store,
            chunk_seconds=settings.chunk_seconds,
        ),
        places=checks,
        storage=machine.storage,
        vault=machine.vault,
        surroundings=machine.surroundings,
        shelf=machine.shelf,
        keys_begin=place.keys_begin if isinstance(place, Room) else "",
        cursors=Cursors(machine.signer(b"cursors")),
        endpoints=Endpoints(store, machine.vault, new_uuid=uuid4),
        watcher=Watcher(store, clock=clock),
        public_url=machine.public_url.rstrip("/"),
        public_host=urlsplit(machine.public_url).netloc.lower(),
        stopping=fitness.stopping,
        fitness=fitness,
        gate=_gate(machine, store),
        rates=Rates(
            reads=Buckets(settings.reads_per_minute, clock=clock),
            writes=Buckets(settings.writes_per_minute, clock=clock),
        ),
        origins=machine.origins,
        loopback_only=settings.auth == "loopback" and not machine.asks_for_keys,
        limits=_limits(settings),
        policy=settings.policy,
    )


def _gate(machine: Machine, store: Store) -> Gate:
    """Who is let in."""
    if not machine.asks_for_keys:
        return OpenGate(machine.addresses if machine.settings.auth == "none" else None)
    bad_keys = Buckets(machine.settings.bad_keys_per_minute, clock=clock)
    return KeyGate(store, addresses=machine.addresses, bad_keys=bad_keys, clock=clock)


def new_readers(machine: Machine, parts: Parts) -> list[QueueReader]:
    """Those who read the operator's queues, beside the calls of an API."""
    intake = Intake(parts=parts, tenant_id=TenantId(machine.settings.ingest_sqs_tenant))
    s3 = machine.surroundings.s3
    return [QueueReader(s3.session, url, intake, region=s3.region, uniform=uniform) for url in machine.queues]


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_attempts=settings.max_attempts,
        upload_bytes=settings.upload_max_bytes,
        upload_suffixes=tuple(f".{suffix.lower().lstrip('.')}" for suffix in settings.upload_suffixes),
        tenant_metrics=settings.tenant_metrics,
    )
