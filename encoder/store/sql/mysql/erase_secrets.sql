-- Erase the secrets of jobs that ended longer ago than $1, in that order, behind a place in it; such a job cannot run
-- again. How far it looked comes back; nothing, where there was nothing to look at. Those without secrets stand in the same
-- index.
-- Index: jobs_with_secrets, jobs_pk. Reads: $2 jobs at most. Locks: the jobs that had secrets, with SKIP LOCKED: one that is
-- being retried keeps them.
-- $1 age, $2 how many, $3 and $4 behind this time and job
SELECT id, finished_at AS at, sealed IS NOT NULL AS has_any FROM jobs FORCE INDEX (jobs_with_secrets)
WHERE secrets_erased_at IS NULL AND finished_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
  AND finished_at >= $3 AND (finished_at > $3 OR id > $4)
ORDER BY finished_at, id LIMIT $2;
-- $1 jobs
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
WHERE j.sealed IS NOT NULL AND j.state IN ('completed', 'failed', 'cancelled') FOR UPDATE SKIP LOCKED;
-- $1 jobs
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
SET j.sealed = NULL, j.secrets_erased_at = UTC_TIMESTAMP(6);
