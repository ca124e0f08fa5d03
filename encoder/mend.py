"""Makes a restored database fit for roles (docs/operate/restore.md). What `encoder doctor --after-restore` does."""

from __future__ import annotations

from encoder import errors
from encoder.doctor import Finding
from encoder.queue import restore
from encoder.settings import Settings
from encoder.store import engines
from encoder.store.restored import LEAP, Restored
from encoder.wiring.machine import Machine

_MOST_TOLD = 20


async def after_restore(settings: Settings, dsn: str) -> list[Finding]:
    """What was done, and what the storage lacks. May be done again.

    Raises:
        errors.StoreUnavailable: the database is away, or roles still use it.
    """
    async with engines.restored(dsn) as database:
        await restore.require_alone(database)
        store = await engines.open_store(dsn, pool_size=1, auto_migrate=settings.auto_migrate)
        try:
            leapt = await restore.leap(database, store)
        finally:
            await store.close()
        objects = await _objects(database, settings)
    return [
        Finding(name="leases", ok=True, detail=f"{leapt.released} given back, uncharged"),
        Finding(name="epochs", ok=True, detail=f"{leapt.open_tasks} open tasks wait, their epochs {LEAP:,} on"),
        Finding(name="numbers", ok=True, detail=f"those of new jobs and tasks begin {LEAP:,} on"),
        objects,
    ]


async def _objects(database: Restored, settings: Settings) -> Finding:
    try:
        lacking = [
            f"output {output.position} of job {output.job_id}: {', '.join(keys)}"
            async for output, keys in restore.missing(database, Machine(settings).unlinked)
        ]
    except (errors.Failure, errors.Unfit) as error:  # the database is fit by now, and that must be told
        return Finding(
            name="objects",
            ok=False,
            detail=f"the storage cannot be asked: {error}",
            to_do="Correct ENCODER_STORAGE or wait for it, then do this again: it does no harm.",
        )
    if not lacking:
        return Finding(name="objects", ok=True, detail="the storage has every output that a row names")
    more = f"; and {len(lacking) - _MOST_TOLD} more" if len(lacking) > _MOST_TOLD else ""
    return Finding(
        name="objects",
        ok=False,
        detail=f"{len(lacking)} outputs are not in the storage: {'; '.join(lacking[:_MOST_TOLD])}{more}",
        to_do="Bring them back from a copy of the storage, or submit these jobs anew: docs/operate/restore.md.",
    )
