"""What becomes of each sweep: kept for people, for metrics, and for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec

from encoder.model.ids import SweepId
from encoder.model.policy import Policy
from encoder.store.engine import Row, Session
from encoder.store.statements import Statement
from encoder.store.sweeps import SweepEnd, SweepRow
from encoder.store.text import json_text, stored_text
from encoder.store.verbs.base import Verbs


class Sweeps(Verbs):
    async def begin_sweep(self, *, host: str, version: str, policy: Policy) -> SweepId:
        (row,) = await self._pool.rows(Statement.BEGIN_SWEEP, host, version, json_text(policy))
        return SweepId(row["id"])

    async def note_sweep(
        self, sweep: SweepId, removed: Mapping[str, int], *, more: Mapping[str, int], blocked: int
    ) -> None:
        added = [{"what": what, "removed": count} for what, count in sorted(more.items()) if count]

        async def work(session: Session) -> None:
            await session.execute(Statement.NOTE_SWEEP, sweep, json_text(removed), blocked)
            if added:
                await session.execute(Statement.ADD_SWEPT, json_text(added))

        await self._pool.transaction(work)

    async def end_sweep(self, sweep: SweepId, outcome: SweepEnd, *, overdue: int, problem: str | None) -> None:
        told = None if problem is None else stored_text(problem)
        await self._pool.rows(Statement.END_SWEEP, sweep, outcome, overdue, told)

    async def sweeps(self, *, limit: int) -> Sequence[SweepRow]:
        return [_sweep(row) for row in await self._pool.rows(Statement.SWEEPS, limit)]

    async def swept(self) -> Mapping[str, int]:
        return {row["what"]: int(row["removed"]) for row in await self._pool.rows(Statement.SWEPT)}

    async def forget_sweeps(self, *, begun_for: timedelta) -> int:
        (row,) = await self._pool.rows(Statement.FORGET_SWEEPS, begun_for)
        return int(row["forgotten"])

    async def sweep_place(self, name: str) -> str | None:
        row = await self._pool.row(Statement.SWEEP_PLACE, name)
        return None if row is None else str(row["place"])

    async def put_sweep_place(self, name: str, place: str) -> None:
        await self._pool.rows(Statement.PUT_SWEEP_PLACE, name, place)

    async def keep_sweep_place(self, name: str, place: str) -> str:
        await self._pool.rows(Statement.KEEP_SWEEP_PLACE, name, place)
        return await self.sweep_place(name) or place


def _sweep(row: Row) -> SweepRow:
    return SweepRow(
        id=SweepId(row["id"]),
        host=row["host"],
        version=row["version"],
        policy=msgspec.json.decode(row["policy"], type=Policy),
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        ended_at=row["ended_at"],
        outcome=None if row["outcome"] is None else SweepEnd(row["outcome"]),
        removed=msgspec.json.decode(row["removed"], type=dict[str, int]),
        blocked=row["blocked"],
        overdue=row["overdue"],
        problem=row["problem"],
        read_at=row["read_at"],
    )
