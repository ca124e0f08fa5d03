"""Objects that no row leads to: of jobs and uploads that are gone, and what somebody began to write and never ended.

Found by listing what is below our own two prefixes. A storage bears the name of its database: objects of another one,
of an empty one that took the place of one that was lost, or of one that was put back to an earlier day without its
sweeps, are not ours to remove.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from encoder.log import get_logger
from encoder.retention.tally import STRAYS, UNFINISHED, Tally, Time
from encoder.storage.upkeep import Unfinished, Upkeep
from encoder.store.protocol import Retention, Sweeps

log = get_logger(__name__)

KEPT = timedelta(hours=24)  # whoever wrote it last may not know yet that nobody waits for it

_NAME = "storage"
_ANOTHERS = (
    "The storage bears the name of another database, so that what no row leads to stays. If it is this one's alone, "
    "remove the object `database` from it."
)

There = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, bool]]]


class Rows(Retention, Sweeps, Protocol):
    """What is asked of a store here."""


async def sweep(store: Rows, upkeep: Upkeep, tally: Tally, time: Time) -> bool:
    """Remove what nothing leads to; False when its time was up before. Raises as `jobs.sweep`."""
    if not await _is_ours(store, upkeep):
        log.warning("retention.another_database")
        tally.problem = tally.problem or _ANOTHERS
        return True
    before = datetime.now(UTC) - KEPT
    for under, there in (("jobs", store.jobs_there), ("uploads", store.uploads_there)):
        done = await _folders(store, upkeep, under, there, before, tally, time)
        if not done or not await _unfinished(upkeep, under, there, before, tally, time):
            return False
    return True


async def _is_ours(store: Sweeps, upkeep: Upkeep) -> bool:
    ours = await store.sweep_place(_NAME)
    if ours is None:
        ours = await store.keep_sweep_place(_NAME, str(uuid4()))
    return await upkeep.named(ours) == ours


async def _folders(  # what all of it needs
    store: Sweeps, upkeep: Upkeep, under: str, there: There, before: datetime, tally: Tally, time: Time
) -> bool:
    """Of whatever there is no row, all goes. Where the time is up, the next sweep goes on from there."""
    async for names in upkeep.folders(under, after=await store.sweep_place(under) or ""):
        ids = {id_: name for name in names if (id_ := _id(name)) is not None}
        known = await there(list(ids))
        for id_, name in ids.items():
            if id_ not in known:
                await tally.add({STRAYS: await upkeep.weed(f"{under}/{name}", before=before)})
        await store.put_sweep_place(under, names[-1])
        if time.is_up:
            return False
    await store.put_sweep_place(under, "")
    return True


async def _unfinished(  # as above
    upkeep: Upkeep, under: str, there: There, before: datetime, tally: Tally, time: Time
) -> bool:
    """What was begun goes, unless its job or upload lives."""
    async for page in upkeep.unfinished(under, before=before):
        owners = {found: _id(found.key.split("/")[1]) for found in page}
        known = await there(list({id_ for id_ in owners.values() if id_ is not None}))
        dropped = [await _dropped(upkeep, found) for found, id_ in owners.items() if id_ and not known.get(id_, False)]
        await tally.add({UNFINISHED: sum(dropped)})
        if time.is_up:
            return False
    return True


async def _dropped(upkeep: Upkeep, found: Unfinished) -> bool:
    if await upkeep.drop(found):
        return True
    log.warning("retention.unfinished_stays", key=found.key)
    return False


def _id(name: str) -> UUID | None:
    """Whose folder it is; None: no job's or upload's."""
    try:
        id_ = UUID(name)
    except ValueError:
        return None
    return id_ if str(id_) == name else None
