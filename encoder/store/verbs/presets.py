"""Presets of tenants' own."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.model.ids import TenantId
from encoder.store.engine import Session
from encoder.store.kept import NewPreset, PresetRow
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_kept import preset_of


class Presets(Verbs):
    async def preset(self, tenant_id: TenantId, name: str) -> PresetRow | None:
        row = await self._pool.row(Statement.PRESET, tenant_id, name)
        return None if row is None else preset_of(row)

    async def presets(self, tenant_id: TenantId) -> Sequence[PresetRow]:
        return [preset_of(row) for row in await self._pool.rows(Statement.PRESETS, tenant_id)]

    async def put_preset(self, preset: NewPreset, *, most: int) -> PresetRow | None:
        async def work(session: Session) -> PresetRow | None:
            row = await session.fetchrow(Statement.LOCK_PRESET, preset.tenant_id, preset.name)
            before = None if row is None else preset_of(row)
            if before is None and await _count(session, preset.tenant_id) >= most:
                return None
            if before is not None and (before.about, before.members) == (preset.about, preset.members):
                return before
            values = (preset.tenant_id, preset.name, preset.about, json_text(preset.members))
            (put,) = await session.fetch(Statement.PUT_PRESET, *values)
            return preset_of(put)

        return await self._pool.transaction(work)

    async def remove_preset(self, tenant_id: TenantId, name: str) -> bool:
        return await self._pool.row(Statement.REMOVE_PRESET, tenant_id, name) is not None


async def _count(session: Session, tenant_id: TenantId) -> int:
    (row,) = await session.fetch(Statement.COUNT_PRESETS, tenant_id)
    return int(row["presets"])
