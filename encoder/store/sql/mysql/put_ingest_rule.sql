-- Put an ingest rule: a new one, or the next version of the one that has its name; then read it back. No row comes back
-- where it would be a new one, and its tenant has as many as it may have; of those that come at once all may be let in.
-- Index: ingest_rules_pk. Locks: the rule, and shared the others of its tenant.
-- $1 tenant, $2 name, $3 uuid, $4 spec, $5 sealed, $6 how many a tenant may have
INSERT INTO ingest_rules (tenant_id, name, version, uuid, spec, sealed, created_at, updated_at)
SELECT $1, $2, 1, $3, $4, $5, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM DUAL
WHERE EXISTS (SELECT 1 FROM ingest_rules WHERE tenant_id = $1 AND name = $2)
   OR $6 > (SELECT COUNT(*) FROM ingest_rules WHERE tenant_id = $1)
ON DUPLICATE KEY UPDATE
  version = ingest_rules.version + 1, uuid = $3, spec = $4, sealed = $5, updated_at = UTC_TIMESTAMP(6);
-- $1 tenant, $2 name, $3 uuid
SELECT tenant_id, name, version, uuid, spec, sealed, created_at, updated_at FROM ingest_rules
WHERE tenant_id = $1 AND name = $2 AND uuid = $3;
