"""What a sweep would remove of jobs and uploads, without a change to anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from encoder.model.ids import JobId
from encoder.model.policy import told
from encoder.retention import uploads
from encoder.retention.jobs import BATCH, looks, stored_bytes
from encoder.retention.sweep import Sweep
from encoder.store.kept import Spent
from encoder.store.rows import Ended

SHOWN = 20  # of each kind

_MARKED, _DELETED = "marked before", "deleted by their callers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A job, and when it ended, was deleted, or marked."""

    id: JobId
    uuid: UUID
    at: datetime


@dataclass(slots=True, kw_only=True)
class Share:
    """Of one rule, in words: jobs, bytes of theirs in the storage, and the first twenty."""

    rule: str
    hours: float | None = None
    jobs: int = 0
    bytes: int = 0
    first: list[Found] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    shares: Sequence[Share]
    uploads: int
    upload_bytes: int


async def survey(sweep: Sweep) -> Survey:
    """Look at all that would go.

    Raises:
        errors.StoreUnavailable: the database is away.
    """
    ruled = [Share(rule=told(rule), hours=rule.hours) for rule in sweep.policy.whole]
    marked, deleted = Share(rule=_MARKED), Share(rule=_DELETED)
    for look, shares in zip(looks(sweep.store, sweep.policy), ([marked], [deleted], ruled), strict=True):
        place: Ended | None = None
        while (found := await look(place)).last is not None:
            await _add(sweep, shares, found.jobs)
            place = found.last
    count, size_bytes = await _uploads(sweep)
    return Survey(shares=[marked, deleted, *ruled], uploads=count, upload_bytes=size_bytes)


async def _add(sweep: Sweep, shares: Sequence[Share], found: Sequence[Ended]) -> None:
    for at in range(0, len(found), BATCH):
        batch = found[at : at + BATCH]
        rules = {job.id: shares[job.rule] for job in batch}
        for job in batch:
            share = rules[job.id]
            share.jobs += 1
            if len(share.first) < SHOWN:
                share.first.append(Found(id=job.id, uuid=job.uuid, at=job.at))
        for output in await sweep.store.places_of(list(rules)):
            rules[output.job_id].bytes += stored_bytes(output)


async def _uploads(sweep: Sweep) -> tuple[int, int]:
    count, size_bytes = 0, 0
    place: Spent | None = None
    while (found := await uploads.page(sweep.store, sweep.policy, place)).last is not None:
        count += len(found.uploads)
        size_bytes += sum(each.size_bytes or 0 for each in found.uploads)
        place = found.last
    return count, size_bytes
