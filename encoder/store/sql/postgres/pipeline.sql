-- Read a tenant's pipeline.
-- Index: pipelines_pk. Locks: none.
-- $1 tenant, $2 name
SELECT tenant_id, name, uuid, settings, sealed, created_at, updated_at FROM pipelines WHERE tenant_id = $1 AND name = $2;
