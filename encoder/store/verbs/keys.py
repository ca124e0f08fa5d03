"""Keys of the API."""

from __future__ import annotations

from collections.abc import Sequence

from encoder.model.ids import KeyId
from encoder.store.kept import KeyRow, NewKey
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs
from encoder.store.verbs.read_kept import key_of


class Keys(Verbs):
    async def add_key(self, key: NewKey) -> KeyRow:
        (row,) = await self._pool.rows(
            Statement.ADD_KEY,
            key.tenant_id,
            key.name,
            key.prefix,
            key.digest,
            " ".join(sorted(key.scopes)),
            key.good_for,
        )
        return key_of(row)

    async def key(self, digest: bytes) -> KeyRow | None:
        row = await self._pool.row(Statement.KEY, digest)
        return None if row is None else key_of(row)

    async def keys(self) -> Sequence[KeyRow]:
        return [key_of(row) for row in await self._pool.rows(Statement.KEYS)]

    async def key_used(self, key_id: KeyId) -> None:
        await self._pool.rows(Statement.USE_KEY, key_id)

    async def revoke_key(self, key_id: KeyId) -> bool:
        return await self._pool.row(Statement.REVOKE_KEY, key_id) is not None
