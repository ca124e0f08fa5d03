"""Takes away what has had its time: rows go in batches, and only after whatever they lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from encoder.model.base import Record
from encoder.model.ids import JobId, OutputId
from encoder.model.policy import Policy
from encoder.store.engine import Row, Session
from encoder.store.rows import Ended
from encoder.store.statements import Statement
from encoder.store.sweeps import BEGINNING, DueJobs, Freed, Looked, OutputPlaces
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs

_FIRST = Ended(id=BEGINNING.id, uuid=UUID(int=0), at=BEGINNING.at)


class _Stands(Record):
    """What is read here of `Delivered`."""

    uri: str
    files: tuple[str, ...] = ()
    size_bytes: int = 0


class _Meant(Record):
    """What is read here of `Intent`."""

    promised: _Stands


class Retention(Verbs):
    async def due_jobs(self, policy: Policy, *, look: int, after: Ended | None = None) -> DueJobs:
        least = policy.least_hours
        if least is None:
            return DueJobs(jobs=(), last=None)
        place, age = after or _FIRST, timedelta(hours=least)
        rows = await self._pool.rows(Statement.DUE_JOBS, json_text(policy.whole), age, look, place.at, place.id)
        return DueJobs(
            jobs=[_ended(row, rule=row["rule"]) for row in rows if row["due"]],
            last=_ended(rows[-1]) if rows else None,
        )

    async def deleted_jobs(self, *, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        place = after or _FIRST
        return [_ended(row) for row in await self._pool.rows(Statement.DELETED_JOBS, limit, place.at, place.id)]

    async def marked_jobs(
        self, *, limit: int, after: Ended | None = None, marked_for: timedelta = timedelta(0)
    ) -> Sequence[Ended]:
        place = after or _FIRST
        rows = await self._pool.rows(Statement.MARKED_JOBS, limit, place.at, place.id, marked_for)
        return [_ended(row) for row in rows]

    async def mark_jobs(self, ids: Sequence[JobId], *, ended_by: datetime | None = None) -> Sequence[JobId]:
        return [JobId(row["id"]) for row in await self._pool.rows(Statement.MARK_JOBS, sorted(ids), ended_by)]

    async def is_purging(self, uuid: UUID) -> bool:
        (row,) = await self._pool.rows(Statement.IS_PURGING, uuid)
        return bool(row["purging"])

    async def places_of(self, ids: Sequence[JobId]) -> Sequence[OutputPlaces]:
        return [_places(row) for row in await self._pool.rows(Statement.PLACES_OF_JOBS, sorted(ids))]

    async def remove_jobs(self, ids: Sequence[JobId]) -> Sequence[JobId]:
        async def work(session: Session) -> Sequence[JobId]:
            mine = [row["id"] for row in await session.fetch(Statement.LOCK_ENDED, sorted(ids))]
            return [JobId(row["id"]) for row in await session.fetch(Statement.REMOVE_JOBS, mine)] if mine else []

        return await self._pool.transaction(work)

    async def chunked_jobs(self, *, limit: int, after: Ended | None = None) -> Sequence[Ended]:
        place = after or _FIRST
        return [_ended(row) for row in await self._pool.rows(Statement.CHUNKED_JOBS, limit, place.id)]

    async def have_chunks(self, ids: Sequence[JobId]) -> frozenset[JobId]:
        return frozenset(JobId(row["id"]) for row in await self._pool.rows(Statement.HAVE_CHUNKS, sorted(ids)))

    async def forget_chunks(self, ids: Sequence[JobId], *, ended_by: datetime) -> None:
        await self._pool.rows(Statement.FORGET_CHUNKS, sorted(ids), ended_by)

    async def jobs_there(self, uuids: Sequence[UUID]) -> Mapping[UUID, bool]:
        return _live(await self._pool.rows(Statement.JOBS_THERE, list(uuids)))

    async def uploads_there(self, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
        return _live(await self._pool.rows(Statement.UPLOADS_THERE, list(ids)))

    async def free_keys(self, *, used_for: timedelta, look: int, after: Looked | None = None) -> Freed | None:
        place = after or BEGINNING
        row = await self._pool.row(Statement.FREE_KEYS, used_for, look, place.at, place.id)
        return None if row is None else Freed(count=row["freed"], last=Looked(at=row["at"], id=JobId(row["id"])))

    async def forget_workers(self, *, unseen_for: timedelta) -> int:
        (row,) = await self._pool.rows(Statement.FORGET_WORKERS, unseen_for)
        return int(row["forgotten"])


def _ended(row: Row, *, rule: int = 0) -> Ended:
    return Ended(id=JobId(row["id"]), uuid=row["uuid"], at=row["at"], rule=rule)


def _places(row: Row) -> OutputPlaces:
    delivered = None if row["delivered"] is None else msgspec.json.decode(row["delivered"], type=_Stands)
    meant = None if row["intent"] is None else msgspec.json.decode(row["intent"], type=_Meant).promised
    stands = [each for each in (delivered, meant) if each is not None]
    return OutputPlaces(
        job_id=JobId(row["job_id"]),
        output=OutputId(row["position"]),
        uris=frozenset(each.uri for each in stands),
        files=frozenset(name for each in stands for name in each.files),
        size_bytes=delivered.size_bytes if delivered else 0,
    )


def _live(rows: Sequence[Row]) -> Mapping[UUID, bool]:
    return {row["id"]: bool(row["live"]) for row in rows}
