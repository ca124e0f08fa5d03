"""Objects that appear in buckets: the rules by which they become jobs, and what was seen of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta

from encoder.errors import Defect
from encoder.model.ids import JobId, TenantId
from encoder.store.engine import Session
from encoder.store.kept import Ingested, NewRule, RuleRow, Seen
from encoder.store.rows import NewJob
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_kept import rule_of


class Ingest(Verbs, ABC):
    @abstractmethod
    async def _insert_in(self, session: Session, job: NewJob) -> tuple[JobId | None, Sequence[str]]:
        """Enqueue a job in a transaction of ours: its number, and the hints that are to follow once it stands."""

    async def ingest(self, job: NewJob, seen: Seen) -> Ingested:
        async def work(session: Session) -> tuple[JobId, Sequence[str]] | None:
            if not await session.fetch(Statement.SEE_OBJECT, job.tenant_id, seen.digest, seen.rule):
                return None
            job_id, hints = await self._insert_in(session, job)
            if job_id is None:
                raise Defect("a job without a key was there already")
            await session.execute(Statement.SEEN_AS, job.tenant_id, seen.digest, job_id)
            return job_id, hints

        while True:
            made = await self._pool.transaction(work)
            if made is not None:
                self._hints.send(*made[1])
                return Ingested(job_id=made[0], is_new=True)
            before = await self.ingested(job.tenant_id, seen.digest)
            if before is not None:  # else it was just forgotten
                return Ingested(job_id=before, is_new=False)

    async def ingested(self, tenant_id: TenantId, digest: bytes) -> JobId | None:
        row = await self._pool.row(Statement.SEEN_OBJECT, tenant_id, digest)
        return None if row is None else JobId(row["job_id"])

    async def forget_objects(self, *, seen_for: timedelta, limit: int) -> int:
        (row,) = await self._pool.rows(Statement.FORGET_OBJECTS, seen_for, limit)
        return int(row["forgotten"])

    async def rules(self, tenant_id: TenantId) -> Sequence[RuleRow]:
        return [rule_of(row) for row in await self._pool.rows(Statement.INGEST_RULES, tenant_id, None)]

    async def rule(self, tenant_id: TenantId, name: str) -> RuleRow | None:
        row = await self._pool.row(Statement.INGEST_RULES, tenant_id, name)
        return None if row is None else rule_of(row)

    async def put_rule(self, rule: NewRule, *, most: int) -> RuleRow | None:
        values = rule.tenant_id, rule.name, rule.uuid, json_text(rule.spec), rule.sealed, most
        row = await self._pool.row(Statement.PUT_INGEST_RULE, *values)
        return None if row is None else rule_of(row)

    async def remove_rule(self, tenant_id: TenantId, name: str) -> bool:
        return await self._pool.row(Statement.REMOVE_INGEST_RULE, tenant_id, name) is not None
