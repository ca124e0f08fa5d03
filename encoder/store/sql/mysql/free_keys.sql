-- Retention: idempotency keys of jobs that were submitted longer ago than $1 are free again, in that order, behind a place
-- in it. How far it looked comes back; nothing, where there was nothing to look at.
-- Index: jobs_created; then jobs_pk. Reads: $2 jobs at most. Locks: the jobs that had keys.
-- $1 age, $2 how many, $3 and $4 behind this time and job
SELECT id, created_at AS at, idempotency_key IS NOT NULL AS keyed FROM jobs FORCE INDEX (jobs_created)
WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND AND created_at >= $3 AND (created_at > $3 OR id > $4)
ORDER BY created_at, id LIMIT $2;
-- $1 jobs
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
SET j.idempotency_key = NULL, j.body_hash = NULL;
