-- A tenant's ingest rules by name, or the one of a name.
-- Index: ingest_rules_pk. Locks: none.
-- $1 tenant, $2 name or null
SELECT tenant_id, name, version, uuid, spec, sealed, created_at, updated_at FROM ingest_rules
WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2) ORDER BY name;
