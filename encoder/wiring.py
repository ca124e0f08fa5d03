"""Settings in, ready objects out: the only place that chooses concrete classes. Roles (`roles.py`) set them going."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import os
import random
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from encoder import __version__, errors, machine
from encoder.api.addresses import Addresses
from encoder.api.auth import Gate, KeyGate, OpenGate
from encoder.api.cors import Origins
from encoder.api.cursor import Cursors
from encoder.api.ingest import Intake
from encoder.api.ingest_queue import QueueReader
from encoder.api.parts import Limits, Parts
from encoder.api.passes import Passes
from encoder.api.rates import Buckets, Rates
from encoder.batch.conversion import Conversion
from encoder.batch.order import Order
from encoder.batch.shelf import Shelf
from encoder.batch.status import Status
from encoder.destinations.registry import Destinations
from encoder.errors import Fault
from encoder.ffmpeg import wheel
from encoder.ffmpeg.abilities import Abilities, read_abilities
from encoder.ffmpeg.launcher import Launcher, Sandbox
from encoder.ffmpeg.watchdog import Watchdog
from encoder.files.roots import Roots
from encoder.metrics import process
from encoder.model.base import to_json
from encoder.model.ids import TenantId, WorkerId
from encoder.model.job import Place
from encoder.model.paths import path_fault
from encoder.model.plan import Note
from encoder.net.guard import Policy, Url, check_url
from encoder.net.http import Web
from encoder.net.s3 import S3Access
from encoder.plugins import Surroundings
from encoder.queue.arrive import Arrivals
from encoder.queue.ceiling import Ceiling
from encoder.queue.enqueue import Enqueue
from encoder.queue.fitness import Fitness
from encoder.queue.lease import LeaseTimes
from encoder.queue.watch import Watcher
from encoder.retention.sweep import Sweep
from encoder.settings import Settings
from encoder.signer import Signer
from encoder.sources.registry import Sources
from encoder.storage.folder import FolderStorage
from encoder.storage.folder_upkeep import FolderUpkeep
from encoder.storage.protocol import Storage
from encoder.storage.s3 import Room, S3Storage
from encoder.storage.s3_upkeep import S3Upkeep
from encoder.storage.upkeep import Upkeep
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Store
from encoder.vault import Vault
from encoder.webhooks.endpoints import Endpoints
from encoder.webhooks.send import Sender
from encoder.worker.aim import Aim
from encoder.worker.beside import LIMITS as BESIDE_LIMITS
from encoder.worker.beside import Beside
from encoder.worker.budget import Budget
from encoder.worker.captions import Captions
from encoder.worker.deliver import Deliver
from encoder.worker.encode import Encode
from encoder.worker.evidence import Unwitnessed, Witness
from encoder.worker.fetch import Fetch, FetchLimits
from encoder.worker.inspect import AT_ONCE, Inspector
from encoder.worker.loop import Handler, Rhythm, Worker
from encoder.worker.measure import Measure
from encoder.worker.metrics import Transfers
from encoder.worker.notify import Notify
from encoder.worker.pipeline import Pipeline
from encoder.worker.places import Places
from encoder.worker.scratch import Scratch
from encoder.worker.transcode import Transcode
from encoder.worker.verify import Verify

_clock = time.monotonic
uniform: Callable[[float, float], float] = random.uniform  # jitter needs no secret chance


@dataclass(frozen=True, slots=True)
class Checks:
    """What may be named in a job, by the operator's rules."""

    sources: Sources
    destinations: Destinations
    policy: Policy

    def source(self, place: Place) -> Sequence[Fault]:
        return self.sources.check(place)

    def destination(self, place: Place, *, folder: bool) -> Sequence[Fault]:
        return self.destinations.check(place, folder=folder)

    def source_warnings(self, place: Place) -> tuple[Note, ...]:
        return self.sources.warnings(place)

    def destination_warnings(self, place: Place) -> tuple[Note, ...]:
        return self.destinations.warnings(place)

    def receiver(self, url: str) -> Sequence[Fault]:
        found = check_url(url, self.policy, instead="put a token into its query, which is kept secret")
        return [found] if isinstance(found, Fault) else []

    @property
    def secret_members(self) -> dict[str, frozenset[str]]:
        """By kind, what is sealed beside what is sealed in every kind, in sources and destinations alike."""
        read, written = self.sources.secret_members, self.destinations.secret_members
        return {kind: read.get(kind, frozenset()) | written.get(kind, frozenset()) for kind in read.keys() | written}


@dataclass(frozen=True)
class Machine:
    """What needs no database. Each part is built once, when it is first asked for.

    Every part may raise errors.Unfit: a setting cannot work; the message names it.
    """

    settings: Settings

    def require(self, *, worker: bool) -> None:
        """Build what needs neither database nor network, so that a wrong setting is told before anything starts."""
        Sources.require_distinct()
        Destinations.require_distinct()
        _ = (self.vault, self.policy, self.storage_place, self.ffmpeg, self.addresses, self.origins, self.queues)
        if worker or self.settings.webhook_secret:
            _ = self.sender

    @cached_property
    def sender(self) -> Sender:
        secrets = [secret.get_secret_value() for secret in self.settings.webhook_secret]
        if not secrets:
            raise errors.Unfit("ENCODER_WEBHOOK_SECRET is not set: webhooks could not be signed.")
        return Sender(self.surroundings.web, secrets=secrets)

    @cached_property
    def vault(self) -> Vault:
        return Vault(self._keys)

    @cached_property
    def policy(self) -> Policy:
        try:
            return Policy.of(*self.settings.allow_addresses, own_ports=self._own_ports)
        except ValueError as error:
            raise errors.Unfit(f"ENCODER_ALLOW_ADDRESSES: {error}") from error

    @cached_property
    def addresses(self) -> Addresses:
        try:
            return Addresses([ipaddress.ip_network(network) for network in self.settings.trusted_proxies])
        except ValueError as error:
            raise errors.Unfit(f"ENCODER_TRUSTED_PROXIES: {error}") from error

    @cached_property
    def origins(self) -> Origins:
        return Origins(self.settings.cors_origins)

    @property
    def queues(self) -> tuple[str, ...]:
        """The operator's, of events of objects."""
        for url in self.settings.ingest_sqs_urls:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.count("/") < 2:  # noqa: PLR2004
                raise errors.Unfit("ENCODER_INGEST_SQS_URLS must read `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.")
        return self.settings.ingest_sqs_urls

    @property
    def _own_name(self) -> tuple[str, int] | None:
        """Where others reach us, if that was set."""
        url = check_url(self.settings.public_url or "", Policy())
        return (url.host, url.port) if isinstance(url, Url) else None

    @cached_property
    def surroundings(self) -> Surroundings:
        roots = tuple(path.absolute() for path in self.settings.file_roots)
        return Surroundings(web=Web(policy=self.policy), roots=Roots(paths=roots), s3=self._s3)

    @property
    def _s3(self) -> S3Access:
        place, named = self.storage_place, self.settings.s3_buckets
        if named is None and self.asks_for_keys:  # callers are not the operator, and may be many
            named = ()
        return S3Access(
            buckets=None if named is None else frozenset(named),
            closed=(place.bucket, place.keys_begin) if isinstance(place, Room) else None,
        )

    @cached_property
    def storage(self) -> Storage:
        return self.shelf or self.unlinked

    @cached_property
    def shelf(self) -> FolderStorage | None:
        """The storage where it is a folder: there the API serves what links lead to."""
        root = self.storage_place
        return self._folder(root, self.signer(b"links")) if isinstance(root, Path) else None

    @property
    def unlinked(self) -> Storage:
        """The storage also where no key is set that could sign links to a folder."""
        place = self.storage_place
        if isinstance(place, Path):
            return self._folder(place, Signer(b""))
        return S3Storage(self.surroundings.s3, self.surroundings.web, place)

    @property
    def upkeep(self) -> Upkeep:
        """Keeps the storage clean; needs no key."""
        place = self.storage_place
        if isinstance(place, Path):
            return FolderUpkeep(place)
        return S3Upkeep(self.surroundings.s3, self.surroundings.web, place)

    def sweep(self, store: Store) -> Sweep:
        """One that goes by the operator's rules."""
        return Sweep(store=store, upkeep=self.upkeep, policy=self.settings.policy, uniform=uniform)

    def _folder(self, root: Path, signer: Signer) -> FolderStorage:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FolderStorage(root, public_url=self.public_url, signer=signer)

    @cached_property
    def storage_place(self) -> Path | Room:
        """Where the storage lies."""
        scheme, _, rest = self.settings.storage.partition(":")
        if scheme == "file" and rest:
            return Path(rest).resolve()
        bucket, _, prefix = rest.removeprefix("//").partition("/")
        room = Room(bucket=bucket, prefix=prefix.removesuffix("/"))
        if scheme == "s3" and rest.startswith("//") and bucket and not (room.prefix and path_fault(room.prefix)):
            return room
        raise errors.Unfit("ENCODER_STORAGE must read `file:FOLDER` or `s3://BUCKET/PREFIX`.")

    @property
    def asks_for_keys(self) -> bool:
        """Whether the API does: where that was asked for, and where others reach it unless that is to be so."""
        return self.settings.auth == "keys" or (self.settings.auth == "loopback" and not self._on_loopback)

    @property
    def _on_loopback(self) -> bool:
        try:
            return self.settings.host == "localhost" or ipaddress.ip_address(self.settings.host).is_loopback
        except ValueError:
            return False

    @cached_property
    def public_url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return self.settings.public_url or f"http://{host}:{self.settings.port}"

    @cached_property
    def sources(self) -> Sources:
        return Sources(self.surroundings, stored=self.storage.source)

    @cached_property
    def destinations(self) -> Destinations:
        return Destinations(self.surroundings, stored=self.storage.destination)

    @cached_property
    def ffmpeg(self) -> Launcher:
        binary = self.settings.ffmpeg or wheel.binary()
        return Launcher(
            binary=binary, sandbox=Sandbox(self.settings.sandbox), threads=self._threads, dog=self._watchdog()
        )

    @cached_property
    def cores(self) -> int:
        """What encoders may keep busy."""
        return self.settings.cpus or machine.cores()

    @property
    def _threads(self) -> int | None:
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
        return Transfers(clock=_clock)

    def budget(self, scratch: Scratch) -> Budget:
        """What the workers of this process may have of its machine, together."""
        return Budget(scratch, memory_bytes=machine.memory_bytes(self.settings.memory_bytes))

    def conversion(self, order: Order, status: Status, scratch: Scratch) -> Conversion:
        """One job by the environment of a batch: its bucket stands in for the platform's storage."""
        shelf = Shelf(S3Access(), self.surroundings.web, order)
        sources = Sources(self.surroundings, stored=shelf.source)
        destinations = Destinations(self.surroundings, stored=shelf.destination)

        async def pipeline() -> Pipeline:
            abilities = await self.abilities()
            return self._pipeline(abilities, scratch, sources=sources, destinations=destinations, witness=Unwitnessed())

        return Conversion(
            order=order,
            shelf=shelf,
            status=status,
            budget=self.budget(scratch),
            pipeline=pipeline,
            host=socket.gethostname(),
            clock=_clock,
        )

    def _pipeline(
        self,
        abilities: Abilities,
        scratch: Scratch,
        *,
        sources: Sources,
        destinations: Destinations,
        witness: Witness | Unwitnessed,
    ) -> Pipeline:
        """The stages of a worker."""
        by_descriptor, threads = abilities.reads_descriptors, self._threads
        measure = Measure(self.ffmpeg, by_descriptor=by_descriptor, threads=threads, clock=_clock)
        return Pipeline(
            places=Places(sources=sources, destinations=destinations),
            fetch=self._fetch(scratch),
            beside=self._beside(scratch, sources),
            captions=Captions(self.ffmpeg, by_descriptor=by_descriptor),
            aim=Aim(self.ffmpeg, measure, by_descriptor=by_descriptor, threads=threads),
            encode=Encode(self.ffmpeg, by_descriptor=by_descriptor, threads=threads, clock=_clock),
            verify=Verify(self.ffmpeg, by_descriptor=by_descriptor, clock=_clock),
            measure=measure,
            witness=witness,
            deliver=Deliver(self.transfers, clock=_clock, uniform=uniform),
            ffmpeg=self.ffmpeg,
            abilities=abilities,
            threads=threads or self.cores,
            clock=_clock,
        )

    def _fetch(self, scratch: Scratch, limits: FetchLimits | None = None) -> Fetch:
        return Fetch(scratch, self.transfers, limits=limits or FetchLimits(), clock=_clock, uniform=uniform)

    def _beside(self, scratch: Scratch, sources: Sources) -> Beside:
        return Beside(sources, self._fetch(scratch, BESIDE_LIMITS), self.ffmpeg)

    @property
    def _own_ports(self) -> set[int]:
        return {port for port in (self.settings.port, self.settings.metrics_port) if port is not None}

    @property
    def _keys(self) -> list[str]:
        keys = [key.get_secret_value() for key in self.settings.secret_keys]
        if not keys:
            raise errors.Unfit("ENCODER_SECRET_KEYS is not set: callers' secrets could not be sealed.")
        return keys

    def signer(self, purpose: bytes) -> Signer:
        """One for each purpose, the same in all roles of a platform."""
        return Signer(*(hmac.new(key.encode(), purpose, hashlib.sha256).digest() for key in self._keys))


@dataclass(frozen=True)
class Wiring(Machine):
    """What the roles are made of, on an open store."""

    store: Store

    async def parts(self, scratch: Scratch, fitness: Fitness) -> Parts:
        """What the API is made of. `scratch`: for the sources that it looks at."""
        place = self.storage_place
        ceiling = Ceiling(self.store, most=self.settings.open_jobs, clock=_clock)
        return Parts(
            store=self.store,
            submit=self._submit(ceiling),
            arrivals=Arrivals(self.store, self.storage, ceiling, most_bytes=self._limits.upload_bytes),
            passes=Passes(public_url=self.public_url, signer=self.signer(b"uploads")),
            inspector=Inspector(
                sources=self.sources,
                fetch=self._fetch(scratch),
                beside=self._beside(scratch, self.sources),
                ffmpeg=self.ffmpeg,
                abilities=await self.abilities(),
                scratch=scratch,
                turns=asyncio.Semaphore(AT_ONCE),
            ),
            places=self._checks,
            storage=self.storage,
            vault=self.vault,
            surroundings=self.surroundings,
            shelf=self.shelf,
            keys_begin=place.keys_begin if isinstance(place, Room) else "",
            cursors=Cursors(self.signer(b"cursors")),
            endpoints=Endpoints(self.store, self.vault, new_uuid=uuid4),
            watcher=Watcher(self.store, clock=_clock),
            public_url=self.public_url.rstrip("/"),
            public_host=urlsplit(self.public_url).netloc.lower(),
            stopping=fitness.stopping,
            fitness=fitness,
            gate=self._gate(),
            rates=Rates(
                reads=Buckets(self.settings.reads_per_minute, clock=_clock),
                writes=Buckets(self.settings.writes_per_minute, clock=_clock),
            ),
            origins=self.origins,
            loopback_only=self.settings.auth == "loopback" and not self.asks_for_keys,
            limits=self._limits,
            policy=self.settings.policy,
        )

    def fitness(self, scratch: Scratch, crew: Sequence[Worker], *, stopping: asyncio.Event) -> Fitness:
        """What probes are told of this process. `stopping`: set when it is to end."""
        return Fitness(
            store=self.store,
            stopping=stopping,
            beats=lambda: all(worker.beats for worker in crew),
            has_room=scratch.has_room,
        )

    def readers(self, parts: Parts) -> list[QueueReader]:
        """Those who read the operator's queues, beside the calls of an API."""
        intake, s3 = Intake(parts=parts, tenant_id=TenantId(self.settings.ingest_sqs_tenant)), self.surroundings.s3
        return [QueueReader(s3.session, url, intake, region=s3.region, uniform=uniform) for url in self.queues]

    def _gate(self) -> Gate:
        if not self.asks_for_keys:
            return OpenGate(self.addresses if self.settings.auth == "none" else None)
        bad_keys = Buckets(self.settings.bad_keys_per_minute, clock=_clock)
        return KeyGate(self.store, addresses=self.addresses, bad_keys=bad_keys, clock=_clock)

    async def tell_what_it_is(self) -> None:
        """For metrics."""
        process.is_made_of(
            version=__version__,
            commit=self.settings.commit,
            ffmpeg=(await self.abilities()).version,
            schema=self.store.version,
            walls=to_json(self.ffmpeg.layers),
        )

    async def worker(self, scratch: Scratch, budget: Budget) -> Worker:
        """A worker. `scratch`: for its work in progress."""
        abilities = await self.abilities()
        pipeline = self._pipeline(
            abilities,
            scratch,
            sources=self.sources,
            destinations=self.destinations,
            witness=Witness(self.ffmpeg, abilities=abilities, kept_at=self.storage.destination, threads=self._threads),
        )
        handlers: dict[str, Handler] = {
            "transcode": Transcode(self.store, self.vault, budget, pipeline, uniform=uniform),
            "notify": Notify(self.store, self.vault, self.sender, uniform=uniform),
        }
        info = self._info(abilities)
        return Worker(
            self.store,
            info,
            handlers,
            self._rhythm(),
            budget,
            clock=_clock,
            uniform=uniform,
        )

    @property
    def _checks(self) -> Checks:
        return Checks(sources=self.sources, destinations=self.destinations, policy=self.policy)

    def _submit(self, ceiling: Ceiling) -> Enqueue:
        return Enqueue(
            self.store,
            self.vault,
            max_attempts=self.settings.max_attempts,
            new_uuid=uuid4,
            secret_members=self._checks.secret_members,
            ceiling=ceiling,
        )

    @property
    def _limits(self) -> Limits:
        return Limits(
            max_attempts=self.settings.max_attempts,
            upload_bytes=self.settings.upload_max_bytes,
            upload_suffixes=tuple(f".{suffix.lower().lstrip('.')}" for suffix in self.settings.upload_suffixes),
            tenant_metrics=self.settings.tenant_metrics,
        )

    def _info(self, abilities: Abilities) -> WorkerInfo:
        slots = {"io": self.settings.io_slots}
        return WorkerInfo(
            id=WorkerId(uuid4()),
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            queues=self.settings.worker_queues,
            slots={queue: slots.get(queue, self.settings.worker_slots) for queue in self.settings.worker_queues},
            encoders=tuple(sorted(abilities.encoders)),
            about={
                "ffmpeg": abilities.version,
                "sandbox": to_json(self.ffmpeg.layers),
                "warnings": [f"{each.name} ({each.part}): {each.guard}" for each in abilities.weaknesses],
            },
        )

    def _rhythm(self) -> Rhythm:
        return Rhythm(
            times=LeaseTimes(self.settings.lease_seconds),
            poll_s=self.settings.poll_seconds,
            progress_s=self.settings.progress_seconds,
            drain_s=self.settings.drain_seconds,
        )
