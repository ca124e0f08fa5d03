"""What every store knows of the API's keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from encoder.model.ids import KeyId, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.store.kept import KeyRow, NewKey
from encoder.store.protocol import Store


def a_key(*, good_for: timedelta | None = None) -> NewKey:
    text = new_key()
    return NewKey(
        tenant_id=TenantId(7),
        name="ci ü '; --",
        prefix=shown(text),
        digest=digest(text),
        scopes=frozenset({Scope.READ, Scope.ADMIN}),
        good_for=good_for,
    )


async def found(store: Store, key: NewKey) -> KeyRow:
    row = await store.key(key.digest)
    assert row is not None
    return row


class KeySuite:
    async def test_a_key_is_kept_as_it_was_made_and_found_by_its_hash_alone(self, store: Store) -> None:
        new = a_key()
        made = await store.add_key(new)
        assert (made.tenant_id, made.name, made.prefix, made.scopes) == (7, new.name, new.prefix, new.scopes)
        assert made.live
        assert {made.expires_at, made.used_at, made.revoked_at} == {None}
        assert await found(store, new) == made
        assert await store.key(digest(new_key())) is None
        assert await store.key(new.digest[:-1]) is None

    async def test_a_revoked_key_stays_revoked_since_the_first_time(self, store: Store) -> None:
        """B3"""
        new, other = a_key(), a_key()
        made, _ = await store.add_key(new), await store.add_key(other)
        assert await store.revoke_key(made.id)
        before = await found(store, new)
        assert before.revoked_at is not None
        assert not before.live
        assert await store.revoke_key(made.id)
        assert await found(store, new) == before
        assert (await found(store, other)).live
        assert not await store.revoke_key(KeyId(1 << 40))

    async def test_a_key_lives_as_long_as_it_was_said(self, store: Store) -> None:
        """B3"""
        short, long = a_key(good_for=timedelta(0)), a_key(good_for=timedelta(days=1))
        assert not (await store.add_key(short)).live
        made = await store.add_key(long)
        assert made.expires_at is not None
        assert made.expires_at - made.created_at == timedelta(days=1)
        assert made.live
        assert [key.live for key in await store.keys()] == [False, True]

    async def test_its_last_use_is_noted_once_a_minute(self, store: Store) -> None:
        new = a_key()
        made = await store.add_key(new)
        await asyncio.gather(*(store.key_used(made.id) for _ in range(5)))
        first = (await found(store, new)).used_at
        assert first is not None
        assert first >= made.created_at
        await store.key_used(made.id)
        assert (await found(store, new)).used_at == first
        assert await store.keys() == [replace(made, used_at=first)]
