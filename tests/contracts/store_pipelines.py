"""Pipelines of tenants."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from encoder.model.ids import TenantId
from encoder.store.kept import NewPipeline
from encoder.store.protocol import Store

OURS, THEIRS = TenantId(7), TenantId(8)
MANY = 10


def a_pipeline(name: str = "1111111111111-abcde1", *, sealed: bytes | None = b"\x00\xff") -> NewPipeline:
    settings = {"input": {"bucket": "in", "region": "ü '; --"}}
    return NewPipeline(tenant_id=OURS, name=name, uuid=uuid4(), settings=settings, sealed=sealed)  # type: ignore[arg-type]  # JSON


class PipelineSuite:
    async def test_a_pipeline_is_kept_as_it_was_put_and_belongs_to_its_tenant(self, store: Store) -> None:
        new = a_pipeline()
        put = await store.put_pipeline(new, most=MANY)
        assert put is not None
        assert (put.name, put.uuid, put.settings, put.sealed) == (new.name, new.uuid, new.settings, new.sealed)
        assert isinstance(put.uuid, UUID)
        assert put.created_at == put.updated_at
        assert await store.pipeline(OURS, new.name) == put
        assert await store.pipeline(THEIRS, new.name) is None
        assert await store.pipelines(OURS) == [put]
        assert await store.pipelines(THEIRS) == []
        assert not await store.remove_pipeline(THEIRS, new.name)
        assert await store.remove_pipeline(OURS, new.name)
        assert not await store.remove_pipeline(OURS, new.name)
        assert await store.pipeline(OURS, new.name) is None

    async def test_another_takes_its_place_whole(self, store: Store) -> None:
        first = await store.put_pipeline(a_pipeline(), most=MANY)
        second = await store.put_pipeline(replace(a_pipeline(sealed=None), settings={}), most=MANY)
        assert first is not None
        assert second is not None
        assert (second.settings, second.sealed, second.created_at) == ({}, None, first.created_at)
        assert second.uuid != first.uuid
        assert await store.pipeline(OURS, second.name) == second

    async def test_a_tenant_has_so_many_pipelines_and_changes_those_that_it_has(self, store: Store) -> None:
        """What a caller leaves with us is bounded."""
        assert await store.put_pipeline(a_pipeline("a"), most=1) is not None
        assert await store.put_pipeline(a_pipeline("b"), most=1) is None
        assert await store.put_pipeline(a_pipeline("a"), most=1) is not None
        assert await store.put_pipeline(replace(a_pipeline("b"), tenant_id=THEIRS), most=1) is not None
