-- Put a preset of a tenant's own, in place of the one that has its name.
-- Index: presets_pk. Locks: the preset.
-- $1 tenant, $2 name, $3 about, $4 members
INSERT INTO presets (tenant_id, name, version, about, members, created_at, updated_at) VALUES ($1, $2, 1, $3, $4, now(), now())
ON CONFLICT ON CONSTRAINT presets_pk DO UPDATE SET
  version = presets.version + 1, about = excluded.about, members = excluded.members, updated_at = excluded.updated_at
RETURNING tenant_id, name, version, about, members, created_at, updated_at;
