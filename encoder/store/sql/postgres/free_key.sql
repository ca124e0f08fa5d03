-- Enqueue after 24 hours: the key is free again.
-- Index: jobs_key_once. Locks: the job's row.
UPDATE jobs SET idempotency_key = NULL, body_hash = NULL
WHERE tenant_id = $1 AND idempotency_key = $2 AND created_at < now() - interval '24 hours';
