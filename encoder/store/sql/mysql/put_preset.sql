-- Put a preset of a tenant's own, in place of the one that has its name.
-- Index: presets_pk. Locks: the preset.
-- $1 tenant, $2 name, $3 about, $4 members
INSERT INTO presets (tenant_id, name, version, about, members, created_at, updated_at)
VALUES ($1, $2, 1, $3, $4, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE version = version + 1, about = $3, members = $4, updated_at = UTC_TIMESTAMP(6);
