"""Keys of the API for tests."""

from __future__ import annotations

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.store.engines import open_store
from encoder.store.kept import NewKey
from encoder.store.protocol import Store


async def a_key(dsn: str, *, tenant: TenantId = DEFAULT_TENANT) -> str:
    """One that opens everything of a tenant, in the database at `dsn`."""
    store = await open_store(dsn)
    key = await key_in(store, *Scope, tenant=tenant)
    await store.close()
    return key


async def key_in(store: Store, *scopes: Scope, tenant: int = DEFAULT_TENANT) -> str:
    """One that is good for `scopes`."""
    key = new_key()
    new = NewKey(
        tenant_id=TenantId(tenant), name="ann", prefix=shown(key), digest=digest(key), scopes=frozenset(scopes)
    )
    await store.add_key(new)
    return key
