"""Who works: for people, never to judge a lease."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from encoder.model.base import Json
from encoder.model.ids import WorkerId
from encoder.model.state import TaskState
from encoder.store.fleet import Running, WorkerInfo, WorkerRow
from encoder.store.line import SEEN
from encoder.store.rows import Claim
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_fleet import running_of, worker_of


class Workers(Verbs):
    async def hello(self, worker: WorkerInfo) -> None:
        await self._pool.rows(
            Statement.HELLO,
            worker.id,
            worker.host,
            worker.pid,
            worker.version,
            worker.queues,
            json_text(worker.slots),
            worker.encoders,
            json_text(worker.about),
        )

    async def draining(self, worker_id: WorkerId) -> None:
        await self._pool.rows(Statement.DRAINING, worker_id)

    async def bye(self, worker_id: WorkerId) -> None:
        await self._pool.rows(Statement.BYE, worker_id)

    async def tell_about(self, worker_id: WorkerId, about: Mapping[str, Json]) -> None:
        await self._pool.rows(Statement.TELL_ABOUT, worker_id, json_text(about))

    async def note_lost(self, worker_id: WorkerId, claim: Claim, state: TaskState) -> None:
        await self._pool.rows(Statement.NOTE_LOST, worker_id, claim.job_id, claim.tenant_id, claim.kind, state)

    async def workers(self, *, seen_within: timedelta) -> Sequence[WorkerRow]:
        rows = await self._pool.rows(Statement.WORKERS, seen_within, SEEN)
        running: defaultdict[WorkerId, list[Running]] = defaultdict(list)
        for task in await self._pool.rows(Statement.RUNNING, [row["id"] for row in rows]):
            running[task["worker_id"]].append(running_of(task))
        return [worker_of(row, tuple(running[row["id"]])) for row in rows]
