-- The job that was made of an object that was seen.
-- Index: ingest_seen_pk. Locks: none.
-- $1 tenant, $2 hash
SELECT job_id FROM ingest_seen WHERE tenant_id = $1 AND hash = $2;
