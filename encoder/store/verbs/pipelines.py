"""Pipelines of tenants, for jobs in Elastic Transcoder's words."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.model.ids import TenantId
from encoder.store.engine import Session
from encoder.store.kept import NewPipeline, PipelineRow
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_kept import pipeline_of


class Pipelines(Verbs):
    async def pipeline(self, tenant_id: TenantId, name: str) -> PipelineRow | None:
        row = await self._pool.row(Statement.PIPELINE, tenant_id, name)
        return None if row is None else pipeline_of(row)

    async def pipelines(self, tenant_id: TenantId) -> Sequence[PipelineRow]:
        return [pipeline_of(row) for row in await self._pool.rows(Statement.PIPELINES, tenant_id)]

    async def put_pipeline(self, pipeline: NewPipeline, *, most: int) -> PipelineRow | None:
        async def work(session: Session) -> PipelineRow | None:
            there = await session.fetchrow(Statement.LOCK_PIPELINE, pipeline.tenant_id, pipeline.name)
            if there is None and await _count(session, pipeline.tenant_id) >= most:
                return None
            kept = (pipeline.uuid, json_text(pipeline.settings), pipeline.sealed)
            (put,) = await session.fetch(Statement.PUT_PIPELINE, pipeline.tenant_id, pipeline.name, *kept)
            return pipeline_of(put)

        return await self._pool.transaction(work)

    async def remove_pipeline(self, tenant_id: TenantId, name: str) -> bool:
        return await self._pool.row(Statement.REMOVE_PIPELINE, tenant_id, name) is not None


async def _count(session: Session, tenant_id: TenantId) -> int:
    (row,) = await session.fetch(Statement.COUNT_PIPELINES, tenant_id)
    return int(row["pipelines"])
