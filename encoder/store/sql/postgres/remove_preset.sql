-- Remove a preset of a tenant's own. Jobs that were made by it keep what it said.
-- Index: presets_pk. Locks: the preset.
-- $1 tenant, $2 name
DELETE FROM presets WHERE tenant_id = $1 AND name = $2 RETURNING name;
