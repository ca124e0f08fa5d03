-- Read a tenant's preset.
-- Index: presets_pk. Locks: none.
-- $1 tenant, $2 name
SELECT tenant_id, name, version, about, members, created_at, updated_at FROM presets WHERE tenant_id = $1 AND name = $2;
