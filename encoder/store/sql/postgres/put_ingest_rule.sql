-- Put an ingest rule: a new one, or the next version of the one that has its name. No row comes back where it would be a
-- new one, and its tenant has as many as it may have; of those that come at once all may be let in.
-- Index: ingest_rules_pk. Locks: the rule.
-- $1 tenant, $2 name, $3 uuid, $4 spec, $5 sealed, $6 how many a tenant may have
INSERT INTO ingest_rules AS r (tenant_id, name, version, uuid, spec, sealed, created_at, updated_at)
SELECT $1::bigint, $2::text, 1, $3::uuid, $4::json, $5::bytea, now(), now()
WHERE EXISTS (SELECT FROM ingest_rules WHERE tenant_id = $1 AND name = $2)
   OR $6::bigint > (SELECT count(*) FROM ingest_rules WHERE tenant_id = $1)
ON CONFLICT ON CONSTRAINT ingest_rules_pk DO UPDATE
SET version = r.version + 1, uuid = excluded.uuid, spec = excluded.spec, sealed = excluded.sealed,
    updated_at = now()
RETURNING tenant_id, name, version, uuid, spec, sealed, created_at, updated_at;
