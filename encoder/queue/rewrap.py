"""Exchanges the operator's keys: all that is sealed is wrapped anew by the first of them, and the others may go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from encoder import errors
from encoder.model.ids import JobId
from encoder.store.kept import SealedRow
from encoder.store.protocol import Sealed
from encoder.vault import Vault

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """`done`: what was wrapped anew; `kept`: what the first key opened before; `lost`: what none of the keys opens."""

    done: int
    kept: int
    lost: int


async def rewrap(store: Sealed, vault: Vault) -> Rewrapped:
    """Go through all that is sealed. It may be broken off and begun again; what comes meanwhile is the first key's."""
    counts = {True: 0, False: 0, None: 0}
    async for row in _everything(store):
        counts[await _rewrap(store, vault, row)] += 1
    return Rewrapped(done=counts[True], kept=counts[False], lost=counts[None])


async def _rewrap(store: Sealed, vault: Vault, row: SealedRow) -> bool | None:
    """Whether it had to be done; None: it could not."""
    try:
        wrapped = vault.rewrap(row.sealed, tenant_id=row.tenant_id, job_uuid=row.uuid)
    except errors.Permanent:
        return None
    if wrapped is not None:
        await store.rewrap(row, wrapped)
    return wrapped is not None


async def _everything(store: Sealed) -> AsyncIterator[SealedRow]:
    """Jobs come last: what an upload keeps for its job, the job has afterwards."""
    for row in await store.sealed_elsewhere():
        yield row
    after: JobId | None = JobId(0)
    while after is not None:
        rows, after = await store.sealed_jobs(after=after, limit=_BATCH)
        for row in rows:
            yield row
