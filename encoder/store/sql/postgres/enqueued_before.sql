-- Enqueue repeated: the job that used the key. `stale`: its 24 hours are over.
-- Index: jobs_key_once. Locks: none.
SELECT id, uuid, state, body_hash, created_at < now() - interval '24 hours' AS stale
FROM jobs WHERE tenant_id = $1 AND idempotency_key = $2;
