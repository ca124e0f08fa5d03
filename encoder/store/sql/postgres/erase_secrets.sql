-- Erase the secrets of jobs that ended longer ago than $1; such a job cannot run again.
-- Index: jobs_with_secrets. Locks: the jobs, with SKIP LOCKED: one that is being retried keeps them.
-- $1 age, $2 limit
WITH mine AS MATERIALIZED (
  SELECT id FROM jobs
  WHERE sealed IS NOT NULL AND finished_at < now() - $1::interval AND state IN ('completed', 'failed', 'cancelled')
  ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
), erased AS (
  UPDATE jobs j SET sealed = NULL, secrets_erased_at = now() FROM mine WHERE j.id = mine.id RETURNING j.id
)
SELECT count(*) AS erased FROM erased;
