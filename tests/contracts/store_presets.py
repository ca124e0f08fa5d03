"""What every store knows of tenants' own presets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from encoder.model.base import Json
from encoder.model.ids import TenantId
from encoder.store.kept import NewPreset
from encoder.store.protocol import Store

OURS, THEIRS = TenantId(7), TenantId(8)
MANY = 10


def a_preset(name: str = "web", *, tenant: TenantId = OURS, about: str = "ü '; --", **members: Json) -> NewPreset:
    said: dict[str, Json] = {"container": "mp4", "crf": 23.5, "renditions": [{"height": 1}], **members}
    return NewPreset(tenant_id=tenant, name=name, about=about, members=said)


class PresetSuite:
    async def test_a_preset_is_kept_as_it_was_put_and_belongs_to_its_tenant(self, store: Store) -> None:
        new = a_preset()
        put = await store.put_preset(new, most=MANY)
        assert put is not None
        assert (put.tenant_id, put.name, put.about, put.members) == (OURS, new.name, new.about, new.members)
        assert (put.version, put.updated_at) == (1, put.created_at)
        assert await store.preset(OURS, "web") == put
        assert await store.preset(OURS, "WEB") is None
        assert await store.preset(THEIRS, "web") is None
        assert await store.presets(THEIRS) == []
        assert not await store.remove_preset(THEIRS, "web")
        assert await store.presets(OURS) == [put]

    async def test_each_change_is_a_version_and_the_same_again_is_none(self, store: Store) -> None:
        first = await store.put_preset(a_preset(), most=MANY)
        assert first is not None
        assert await store.put_preset(a_preset(), most=MANY) == first
        second = await store.put_preset(a_preset(crf=20), most=MANY)
        assert second is not None
        assert (second.version, second.members["crf"], second.created_at) == (2, 20, first.created_at)
        third = await store.put_preset(a_preset(crf=20, about="another"), most=MANY)
        assert third is not None
        assert (third.version, third.about) == (3, "another")
        assert await store.preset(OURS, "web") == third

    async def test_they_are_listed_by_name_and_no_longer_there_once_removed(self, store: Store) -> None:
        for name in ("b", "a", "B"):
            await store.put_preset(a_preset(name), most=MANY)
        assert sorted(["b", "a", "B"]) == [each.name for each in await store.presets(OURS)]
        assert await store.remove_preset(OURS, "b")
        assert not await store.remove_preset(OURS, "b")
        assert [each.name for each in await store.presets(OURS)] == ["B", "a"]

    async def test_a_tenant_has_so_many_and_changes_those_that_it_has(self, store: Store) -> None:
        """What a caller leaves with us is bounded."""
        assert await store.put_preset(a_preset("a"), most=1) is not None
        assert await store.put_preset(a_preset("b"), most=1) is None
        assert await store.put_preset(a_preset("a", crf=1), most=1) is not None
        assert await store.put_preset(replace(a_preset("b"), tenant_id=THEIRS), most=1) is not None
        assert [each.name for each in await store.presets(OURS)] == ["a"]

    async def test_of_changes_at_once_each_has_its_version(self, store: Store) -> None:
        puts = await asyncio.gather(*(store.put_preset(a_preset(crf=number), most=MANY) for number in range(5)))
        assert sorted(put.version for put in puts if put) == [1, 2, 3, 4, 5]
