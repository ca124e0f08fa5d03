-- Enqueue repeated: the job that used the key. `stale`: its 24 hours are over.
-- Index: jobs_key_once. Locks: none.
-- $1 tenant, $2 key
SELECT id, uuid, state, body_hash, created_at < UTC_TIMESTAMP(6) - INTERVAL 24 HOUR AS stale
FROM jobs WHERE tenant_id = $1 AND idempotency_key = CAST($2 AS BINARY);
