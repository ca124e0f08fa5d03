-- Erase the secrets of jobs that ended longer ago than $1; such a job cannot run again.
-- Index: jobs_with_secrets; then jobs_pk. Locks: the jobs, with SKIP LOCKED: one that is being retried keeps them.
-- $1 age, $2 limit
SELECT id FROM jobs
WHERE secrets_erased_at IS NULL AND sealed IS NOT NULL AND finished_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
ORDER BY finished_at LIMIT $2;
-- $1 jobs
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
WHERE j.sealed IS NOT NULL AND j.state IN ('completed', 'failed', 'cancelled') FOR UPDATE SKIP LOCKED;
-- $1 jobs
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
SET j.sealed = NULL, j.secrets_erased_at = UTC_TIMESTAMP(6);
