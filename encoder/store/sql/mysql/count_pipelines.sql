-- Count a tenant's pipelines.
-- Index: pipelines_pk, all of the tenant's. Locks: none.
-- $1 tenant
SELECT count(*) AS pipelines FROM pipelines WHERE tenant_id = $1;
