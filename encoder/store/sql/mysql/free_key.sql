-- Enqueue after 24 hours: the key is free again.
-- Index: jobs_key_once. Locks: the job's row.
-- $1 tenant, $2 key
UPDATE jobs SET idempotency_key = NULL, body_hash = NULL
WHERE tenant_id = $1 AND idempotency_key = CAST($2 AS BINARY) AND created_at < UTC_TIMESTAMP(6) - INTERVAL 24 HOUR;
