-- Note which job was made of an object that was seen in this transaction.
-- Index: ingest_seen_pk. Locks: the row, which is ours.
-- $1 tenant, $2 hash, $3 job
UPDATE ingest_seen SET job_id = $3 WHERE tenant_id = $1 AND hash = $2;
