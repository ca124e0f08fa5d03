-- See an object, before a job is made of it in the same transaction; no row comes back when it was seen before.
-- Index: ingest_seen_pk. Locks: the new row; waits for whoever sees the same just now.
-- $1 tenant, $2 hash, $3 rule
INSERT INTO ingest_seen (tenant_id, hash, rule, seen_at) VALUES ($1, $2, $3, now())
ON CONFLICT ON CONSTRAINT ingest_seen_pk DO NOTHING RETURNING rule;
