"""A key of the API for a platform that asks for keys."""

from __future__ import annotations

from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.store.engines import open_store
from encoder.store.kept import NewKey


async def a_key(dsn: str, *, tenant: TenantId = DEFAULT_TENANT) -> str:
    """One that opens everything of a tenant."""
    key = new_key()
    store = await open_store(dsn)
    new = NewKey(tenant_id=tenant, name="lab", prefix=shown(key), digest=digest(key), scopes=frozenset(Scope))
    await store.add_key(new)
    await store.close()
    return key
