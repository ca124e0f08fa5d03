-- Count a tenant's presets.
-- Index: presets_pk, all of the tenant's. Locks: none.
-- $1 tenant
SELECT count(*) AS presets FROM presets WHERE tenant_id = $1;
