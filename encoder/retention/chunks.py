"""Chunks in the storage that nobody needs any more: of jobs that were completed or cancelled.

Whoever put the last output together has removed them; here goes what he did not, for he was killed, or the storage was
away, and what a worker brought that had lost its lease. Those of a failed job stay for its next run.
"""

from __future__ import annotations

from encoder.model.chunk_work import place_of_job
from encoder.retention.tally import OBJECTS, Tally, Time
from encoder.storage.upkeep import Heap, Upkeep
from encoder.store.protocol import Retention
from encoder.store.rows import Ended

BATCH = 100  # jobs that are looked through before it is noted


async def sweep(store: Retention, upkeep: Upkeep, tally: Tally, time: Time) -> bool:
    """Remove what is to go; False when its time was up before. Raises as `jobs.sweep`."""
    place: Ended | None = None
    while not time.is_up:
        found = await store.chunked_jobs(limit=BATCH, after=place)
        if not found:
            return True
        place = found[-1]
        heaps = {job.id: Heap(prefix=place_of_job(job.uuid)) for job in found}
        cleared = await upkeep.clear(list(heaps.values()))
        gone = [job.id for job in found if heaps[job.id].prefix not in cleared.refused]
        await store.forget_chunks(gone, ended_by=max(job.at for job in found))
        await tally.add({OBJECTS: sum(cleared.objects.values())}, refused=cleared.refused)
    return False
