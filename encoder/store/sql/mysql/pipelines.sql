-- List a tenant's pipelines.
-- Index: pipelines_pk, all of the tenant's. Locks: none.
-- $1 tenant
SELECT tenant_id, name, uuid, settings, sealed, created_at, updated_at FROM pipelines WHERE tenant_id = $1 ORDER BY name;
