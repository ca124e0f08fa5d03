-- See an object, before a job is made of it in the same transaction; it finds no row when it was seen before.
-- Index: ingest_seen_pk. Locks: the new row; waits for whoever sees the same just now.
-- $1 tenant, $2 hash, $3 rule
INSERT IGNORE INTO ingest_seen (tenant_id, hash, rule, seen_at) VALUES ($1, $2, $3, UTC_TIMESTAMP(6));
