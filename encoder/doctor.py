"""Examines machine, database, storage and ffmpeg. Each finding says what was seen and, if it is bad, what to do."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar
from uuid import uuid4

from encoder import errors
from encoder.destinations.protocol import Parcel
from encoder.destinations.registry import Destinations
from encoder.ffmpeg.codecs import AUDIO_ENCODERS, VIDEO_ENCODERS
from encoder.ffmpeg.subtitles import RENDERER
from encoder.plugins import Registry
from encoder.settings import Settings
from encoder.sources.registry import Sources
from encoder.storage.protocol import Storage
from encoder.store import advice, engines
from encoder.store.fleet import Checkup, Stats, WorkerRow
from encoder.store.line import SEEN
from encoder.store.protocol import Store
from encoder.store.steps import Schema
from encoder.wiring.machine import Machine
from encoder.worker.scratch import LEAST_FREE_BYTES, Scratch

T = TypeVar("T")

_MOST_OFF_S = 5.0  # links and signatures live for minutes
_OLDEST_S = 600.0  # of an open transaction
_NO_STORE = "none yet: see `database`"
_SMALL = b"written by encoder doctor, and removed again\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`to_do` starts with a verb; it is empty when all is well."""

    name: str
    ok: bool
    detail: str
    to_do: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; one thing that is wrong hides no other."""
    machine = Machine(settings)
    return [await _examined(name, look, machine) for name, look in LOOKS.items()]


async def _examined(name: str, look: Callable[[Machine], Awaitable[str]], machine: Machine) -> Finding:
    try:
        return Finding(name=name, ok=True, detail=await look(machine))
    except Bad as bad:
        return Finding(name=name, ok=False, detail=str(bad), to_do=bad.to_do)
    except errors.StoreUnavailable as error:
        return Finding(name=name, ok=False, detail=str(error), to_do=advice.to_do(error))
    except (errors.EncoderError, OSError) as error:
        return Finding(
            name=name, ok=False, detail=str(error), to_do="Correct what it says; see docs/reference/settings.md."
        )


class Bad(Exception):
    """A look found something wrong."""

    def __init__(self, detail: str, to_do: str) -> None:
        super().__init__(detail)
        self.to_do = to_do


async def _python(machine: Machine) -> str:
    return f"{sys.version.split()[0]}, {machine.cores} of {os.cpu_count()} cores"


async def _ffmpeg(machine: Machine) -> str:
    abilities = await machine.abilities()
    software = {name for name, encoder in VIDEO_ENCODERS.items() if not encoder.in_hardware}
    missing = sorted({*software, *AUDIO_ENCODERS} - abilities.encoders)
    there = ", ".join(sorted((VIDEO_ENCODERS.keys() - software) & abilities.encoders)) or "none"
    opens = "" if abilities.reads_descriptors else "; no `fd` protocol: opens its source by name, the box is the wall"
    drawn = "" if RENDERER in abilities.filters else "; no libass: burns in no text of subtitles"
    return f"{abilities.version}; encoders missing: {', '.join(missing) or 'none'}; in hardware: {there}{opens}{drawn}"


async def _weaknesses(machine: Machine) -> str:
    known = (await machine.abilities()).weaknesses
    return "; ".join(f"{each.name} ({each.part}): {each.guard}" for each in known) or "none known"


async def _sandbox(machine: Machine) -> str:
    layers = machine.ffmpeg.layers
    if not layers.landlock_fs:
        raise Bad("no Landlock: ffmpeg is held by no wall but its rights", "Run on a kernel from 5.13 that offers it.")
    return "files walled in, network " + ("walled off" if layers.landlock_net else "not walled off (kernel before 6.7)")


async def _settings(machine: Machine) -> str:
    names = await asyncio.to_thread(lambda: machine.settings.misnamed)
    if names:
        raise Bad(f"no such setting: {', '.join(names)}", "Correct the name: docs/reference/settings.md has all.")
    return "all names are known"


async def _scratch(machine: Machine) -> str:
    scratch: Scratch = machine.scratch()
    await scratch.open()
    try:
        scratch.require(LEAST_FREE_BYTES)
        return f"{machine.scratch_root}: {scratch.free_bytes() / 1024**3:.0f} GiB free"
    finally:
        await scratch.close()


async def _storage(machine: Machine) -> str:
    place = machine.storage_place
    if not isinstance(place, Path):
        try:
            _ = machine.policy
        except errors.Unfit:
            return f"bucket {place.bucket}: not tried while ENCODER_ALLOW_ADDRESSES is wrong"
        await _tried(machine.unlinked)
        return f"bucket {place.bucket}: a file was written, read and removed; {await machine.upkeep.advice()}"
    return await _folder(machine, place)


async def _folder(machine: Machine, root: Path) -> str:
    if not await asyncio.to_thread(root.exists):
        return f"{root}: made on first start"
    if not await asyncio.to_thread(os.access, root, os.W_OK | os.X_OK):
        raise Bad(f"{root} cannot be written", "Give it to the user who runs Encoder, or change ENCODER_STORAGE.")
    await _tried(machine.unlinked)
    return f"{root}: a file was written, read and removed"


async def _tried(storage: Storage) -> None:
    """Write a small object, read it back, remove it. Raises what a job would fail with."""
    folder = f"doctor-{uuid4()}"
    destination, source = storage.destination(f"{folder}/small"), storage.source(f"{folder}/small")
    try:
        with NamedTemporaryFile() as file:
            file.write(_SMALL)
            file.flush()
            await destination.publish(_parcel(Path(file.name)), sent=lambda _bytes: None, fence=_always)
        async with source.open() as incoming:
            data = b"".join([chunk async for chunk in incoming.chunks])
    finally:
        await destination.close()
        await storage.remove(folder)
    if data != _SMALL:
        raise Bad("what was written is not what is read", "Look after the disk or the server behind ENCODER_STORAGE.")


def _parcel(path: Path) -> Parcel:
    digest = hashlib.sha256(_SMALL).hexdigest()
    return Parcel(path=path, size_bytes=len(_SMALL), sha256=digest, content_type="text/plain", token="doctor")  # noqa: S106  # names an attempt


async def _always() -> None:
    """A fence that holds: there is no lease that could be lost."""


async def _secrets(machine: Machine) -> str:
    if not machine.settings.secret_keys:
        if machine.settings.database_url is None:
            return "no ENCODER_SECRET_KEYS: only `encoder up` makes its own"
        raise Bad(
            "no ENCODER_SECRET_KEYS: nothing starts without, but `encoder up`",
            "Set them, the same for all roles: docs/reference/settings.md has the command that makes one.",
        )
    _ = machine.vault
    return f"{len(machine.settings.secret_keys)} key(s), readable"


async def _webhooks(machine: Machine) -> str:
    count = len(machine.settings.webhook_secret)
    if count:
        _ = machine.sender
        return f"{count} secret(s), readable"
    if machine.settings.database_url is None:
        return "no ENCODER_WEBHOOK_SECRET: only `encoder up` makes its own"
    raise Bad(
        "no ENCODER_WEBHOOK_SECRET: no worker starts without, but that of `encoder up`",
        "Set it, the same for all roles: `whsec_` and 32 random bytes as base64; see docs/reference/settings.md.",
    )


async def _addresses(machine: Machine) -> str:
    opened = machine.policy.allow
    return ", ".join(["the public internet", *map(str, opened)]) if opened else "the public internet only"


async def _kinds(_machine: Machine) -> str:
    Sources.require_distinct()
    Destinations.require_distinct()
    absent = Sources.unusable() | Destinations.unusable()
    listed = f"sources {_names(Sources)}; destinations {_names(Destinations)}"
    return ". ".join([listed, *(why.removesuffix(".") for why in absent.values())])


def _names(registry: type[Registry[Any]]) -> str:
    return ", ".join(sorted({*registry.own, *registry.others()}))


async def _file_roots(machine: Machine) -> str:
    roots = machine.settings.file_roots
    absent = [str(root) for root in roots if not await asyncio.to_thread(Path.is_dir, root)]
    if absent:
        raise Bad(f"no such folder: {', '.join(absent)}", "Correct ENCODER_FILE_ROOTS.")
    return ", ".join(map(str, roots)) or "none: `file` sources and destinations are closed"


async def _database(machine: Machine) -> str:
    url = machine.settings.database_url
    if url is None:
        return "none named: `encoder up` runs one of its own"
    dsn = url.get_secret_value()
    listen = machine.settings.listen_url
    server = await engines.server(dsn, listen_dsn=listen.get_secret_value() if listen else None)
    if server.faults:
        raise Bad("; ".join(fault.told for fault in server.faults), " ".join(fault.to_do for fault in server.faults))
    schema = await engines.check(dsn)
    if schema.is_pending:
        return _pending(schema, auto_migrate=machine.settings.auto_migrate)
    store = await engines.open_store(dsn, pool_size=1, auto_migrate=False)
    try:
        up_s = await store.uptime_seconds()
    finally:
        await store.close()
    heard = "hints come through" if engines.has_hints(dsn) else "no hints here: asked for work each 0.1 to 1.1 s"
    return f"{server.name}, schema {schema.version}, up {up_s / 3600:.1f} h, {heard}"


def _pending(schema: Schema, *, auto_migrate: bool) -> str:
    told = f"schema {schema.version} of {schema.ours}" if schema.version else "no tables yet"
    if auto_migrate:
        return f"{told}: the next start brings it up to date, or `encoder migrate`"
    raise Bad(f"{told}, and ENCODER_AUTO_MIGRATE is off: no role starts", "Run `encoder migrate`.")


async def _queue(machine: Machine) -> str:
    """What wears a queue out, and what would mean that it is broken."""

    async def look(store: Store) -> tuple[float, Checkup, float]:
        return time.time(), await store.checkup(), time.time()

    looked = await _on_store(machine, look)
    if looked is None:
        return _NO_STORE
    asked, seen, heard = looked
    off_s = max(asked - seen.at.timestamp(), seen.at.timestamp() - heard, 0.0)
    if seen.stray or seen.missing:
        told = f"{seen.stray} places or leases without their task, {seen.missing} open tasks without theirs"
        raise Bad(told, "Look again in a minute; if it stays, report it with the log of the workers.")
    if off_s > _MOST_OFF_S:
        raise Bad(f"this machine's clock is {off_s:.0f} s off the database's", "Set both by NTP.")
    if (seen.oldest_s or 0) > _OLDEST_S:
        told = f"a transaction is open for {(seen.oldest_s or 0) / 60:.0f} minutes: no dead row after it can be removed"
        raise Bad(told, "Find it in pg_stat_activity by its xact_start, and end it.")
    oldest = "" if seen.oldest_s is None else f", oldest transaction {seen.oldest_s:.0f} s"
    return f"agrees with its tasks, clock {off_s:.1f} s off{oldest}"


async def _workers(machine: Machine) -> str:
    """Whether somebody takes what waits."""

    async def look(store: Store) -> tuple[Sequence[WorkerRow], Stats]:
        return await store.workers(seen_within=SEEN), await store.stats(None)

    looked = await _on_store(machine, look)
    if looked is None:
        return _NO_STORE
    workers, stats = looked
    taken = {queue for worker in workers if not worker.draining for queue in worker.info.queues}
    left = sorted(depth.queue for depth in stats.queues if depth.waiting + depth.ready and depth.queue not in taken)
    if left:
        told = f"work waits in {', '.join(left)}, and no worker that lives takes it"
        raise Bad(told, "Start `encoder worker` with ENCODER_WORKER_QUEUES that name it: see docs/operate/queues.md.")
    return f"{len(workers)} alive, for {', '.join(sorted(taken))}" if taken else "none alive, and nothing waits for one"


async def _on_store(machine: Machine, look: Callable[[Store], Awaitable[T]]) -> T | None:
    """What `look` finds; None where there is nothing to look at yet."""
    url = machine.settings.database_url
    dsn = url.get_secret_value() if url else None
    if dsn is None or not await _is_ready(dsn):
        return None
    store = await engines.open_store(dsn, pool_size=1, auto_migrate=False)
    try:
        return await look(store)
    finally:
        await store.close()


async def _is_ready(dsn: str) -> bool:
    """Whether there are tables that this program may read."""
    try:
        (await engines.check(dsn)).require_fit()
    except errors.EncoderError:
        return False
    return True


LOOKS: dict[str, Callable[[Machine], Awaitable[str]]] = {
    "python": _python,
    "settings": _settings,
    "ffmpeg": _ffmpeg,
    "ffmpeg's known weaknesses": _weaknesses,
    "sandbox": _sandbox,
    "scratch": _scratch,
    "storage": _storage,
    "secrets": _secrets,
    "webhooks": _webhooks,
    "addresses": _addresses,
    "kinds": _kinds,
    "file roots": _file_roots,
    "database": _database,
    "queue": _queue,
    "workers": _workers,
}
