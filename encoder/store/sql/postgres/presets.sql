-- List a tenant's presets.
-- Index: presets_pk, all of the tenant's. Locks: none.
-- $1 tenant
SELECT tenant_id, name, version, about, members, created_at, updated_at FROM presets WHERE tenant_id = $1 ORDER BY name COLLATE "C";
