-- Remove an ingest rule: what it says goes, and the number of its versions stays.
-- Index: ingest_rules_pk. Locks: the rule.
-- $1 tenant, $2 name
UPDATE ingest_rules SET spec = NULL, sealed = NULL, updated_at = UTC_TIMESTAMP(6)
WHERE tenant_id = $1 AND name = $2 AND spec IS NOT NULL;
