"""Jobs whose time is over: marked, so that nothing of them is handed out; then their objects go, and then their rows.

Whoever is killed in between leaves rows, by which the next one finds what is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol
from uuid import UUID

from encoder.model import evidence
from encoder.model.ids import JobId
from encoder.model.policy import Policy
from encoder.retention.tally import BYTES, JOBS, OBJECTS, Tally, Time
from encoder.storage.upkeep import Heap, Upkeep
from encoder.store.protocol import Retention
from encoder.store.rows import Ended
from encoder.store.sweeps import DueJobs, OutputPlaces

BATCH = 500  # jobs of one transaction
LOOK = 5000  # jobs of which it is seen at once whether their time is over

STORED = "storage:"  # how the platform's own storage begins its addresses


class Look(Protocol):
    """The next ones behind a place."""

    async def __call__(self, after: Ended | None) -> DueJobs: ...


def looks(store: Retention, policy: Policy) -> Sequence[Look]:
    """All ways in which a job is to go: marked by a sweep that did not come so far, deleted, or over."""

    def all_of(find: Callable[..., Awaitable[Sequence[Ended]]]) -> Look:
        async def look(after: Ended | None) -> DueJobs:
            found = await find(limit=BATCH, after=after)
            return DueJobs(jobs=found, last=found[-1] if found else None)

        return look

    async def over(after: Ended | None) -> DueJobs:
        return await store.due_jobs(policy, look=LOOK, after=after)

    return all_of(store.marked_jobs), all_of(store.deleted_jobs), over


async def sweep(store: Retention, upkeep: Upkeep, policy: Policy, tally: Tally, time: Time) -> bool:
    """Remove all jobs that are to go; False when its time was up before.

    Raises:
        errors.StoreUnavailable: the database is away.
        errors.Transient: the storage is.
    """
    for look in looks(store, policy):
        place: Ended | None = None
        while True:
            if time.is_up:
                return False
            found = await look(place)
            for at in range(0, len(found.jobs), BATCH):
                if time.is_up:
                    return False
                await _purge(store, upkeep, found.jobs[at : at + BATCH], tally, time)
            if found.last is None:
                break
            place = found.last
    return True


async def _purge(store: Retention, upkeep: Upkeep, batch: Sequence[Ended], tally: Tally, time: Time) -> None:
    uuids, last = {job.id: job.uuid for job in batch}, max(job.at for job in batch)
    marked = await time.halved(lambda: store.mark_jobs(list(uuids), ended_by=last))  # what ran again since stays
    if not marked:
        return
    places, chunked = await store.places_of(marked), await store.have_chunks(marked)
    heaps = {job: heap(uuids[job], outputs, chunked=job in chunked) for job, outputs in by_job(marked, places)}
    cleared = await upkeep.clear(list(heaps.values()))
    free = [job for job, each in heaps.items() if each.prefix not in cleared.refused]
    gone = set(await time.halved(lambda: store.remove_jobs(free)))
    await tally.add(
        {
            JOBS: len(gone),
            OBJECTS: sum(cleared.objects.get(heaps[job].prefix, 0) for job in gone),
            BYTES: sum(stored_bytes(output) for output in places if output.job_id in gone),
        },
        refused=cleared.refused,
    )


def by_job(jobs: Sequence[JobId], places: Sequence[OutputPlaces]) -> Iterator[tuple[JobId, Sequence[OutputPlaces]]]:
    """Each job with its outputs."""
    outputs: defaultdict[JobId, list[OutputPlaces]] = defaultdict(list)
    for place in places:
        outputs[place.job_id].append(place)
    return ((job, outputs[job]) for job in jobs)


def heap(uuid: UUID, outputs: Sequence[OutputPlaces], *, chunked: bool = False) -> Heap:
    """All that the storage holds of a job: its outputs without a destination, and the evidence of all.

    `chunked`: also what attempts at its chunks left, of which nobody knows.
    """
    prefix = f"jobs/{uuid}"
    if chunked:
        return Heap(prefix=prefix)
    known: set[str] = set()
    for output in outputs:
        kept = evidence.prefix(uuid, output.output)
        known |= {f"{kept}/{name}" for name in (evidence.TOLD, evidence.PICTURES)}
        for uri in output.uris:
            if uri.startswith(f"{STORED}{prefix}/"):
                key = uri.removeprefix(STORED)
                known |= {f"{key}{name}" for name in output.files} if key.endswith("/") else {key}
    return Heap(prefix=prefix, known=frozenset(known))


def stored_bytes(output: OutputPlaces) -> int:
    """What of an output stands in the platform's own storage."""
    return output.size_bytes if any(uri.startswith(STORED) for uri in output.uris) else 0
