-- Remove an ingest rule. Jobs that were made by it keep what it said.
-- Index: ingest_rules_pk. Locks: the rule.
-- $1 tenant, $2 name
DELETE FROM ingest_rules WHERE tenant_id = $1 AND name = $2;
