"""Uploads of which nothing more is to come: hidden; then what came of them goes, and then their rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from encoder.model.policy import Policy
from encoder.retention.tally import BYTES, OBJECTS, UPLOADS, Tally, Time
from encoder.storage.upkeep import Heap, Upkeep
from encoder.store.kept import Spent, SpentUploads
from encoder.store.protocol import Uploads

SPENT_FOR = timedelta(hours=24)
BATCH = 500
LOOK = 5000  # uploads of which it is seen at once whether anything is to come


class Finds(Protocol):
    """What is asked of a store here."""

    async def spent_uploads(
        self, *, spent_for: timedelta, unused_for: timedelta | None, look: int, after: Spent | None = None
    ) -> SpentUploads: ...


async def page(store: Finds, policy: Policy, after: Spent | None) -> SpentUploads:
    """The next ones behind a place. A file that came and was never used stays as long as a job would."""
    unused_for = max(timedelta(hours=policy.hours), SPENT_FOR) if policy.hours else None
    return await store.spent_uploads(spent_for=SPENT_FOR, unused_for=unused_for, look=LOOK, after=after)


async def sweep(store: Uploads, upkeep: Upkeep, policy: Policy, tally: Tally, time: Time) -> bool:
    """Remove all uploads that are to go; False when its time was up before. Raises as `jobs.sweep`."""
    place: Spent | None = None
    while not time.is_up:
        found = await page(store, policy, place)
        for at in range(0, len(found.uploads), BATCH):
            if time.is_up:
                return False
            await _purge(store, upkeep, found.uploads[at : at + BATCH], tally, time)
        if found.last is None:
            return True
        place = found.last
    return False


async def _purge(store: Uploads, upkeep: Upkeep, batch: Sequence[Spent], tally: Tally, time: Time) -> None:
    spent = {upload.id: upload for upload in batch}
    heaps = {id_: heap(spent[id_]) for id_ in await store.mark_uploads(list(spent))}
    cleared = await upkeep.clear(list(heaps.values()))
    free = [id_ for id_, each in heaps.items() if each.prefix not in cleared.refused]
    gone = await time.halved(lambda: store.remove_uploads(free))
    await tally.add(
        {
            UPLOADS: gone,
            OBJECTS: sum(cleared.objects.get(heaps[id_].prefix, 0) for id_ in free),
            BYTES: sum(spent[id_].size_bytes or 0 for id_ in free),
        },
        refused=cleared.refused,
    )


def heap(upload: Spent) -> Heap:
    """What lies of an upload in the storage; of one that never arrived that may be pieces."""
    known = frozenset({upload.key}) if upload.arrived else None
    return Heap(prefix=upload.key.rpartition("/")[0], known=known)
