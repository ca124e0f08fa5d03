-- Erase the secrets of jobs that ended longer ago than $1, in that order, behind a place in it; such a job cannot run
-- again. How far it looked comes back; nothing, where there was nothing to look at.
-- Index: jobs_with_secrets, jobs_pk. Locks: the jobs, with SKIP LOCKED: one that is being retried keeps them.
-- $1 age, $2 how many, $3 and $4 behind this time and job
WITH looked AS MATERIALIZED (
  SELECT id, finished_at FROM jobs
  WHERE sealed IS NOT NULL AND finished_at < now() - $1::interval AND finished_at >= $3::timestamptz
    AND (finished_at, id) > ($3, $4::bigint)
  ORDER BY finished_at, id LIMIT $2
), mine AS MATERIALIZED (
  SELECT jobs.id FROM jobs JOIN looked ON looked.id = jobs.id
  WHERE jobs.sealed IS NOT NULL AND jobs.state IN ('completed', 'failed', 'cancelled') FOR UPDATE OF jobs SKIP LOCKED
), erased AS (
  UPDATE jobs j SET sealed = NULL, secrets_erased_at = now() FROM mine WHERE j.id = mine.id RETURNING j.id
)
SELECT id, finished_at AS at, (SELECT count(*) FROM erased) AS erased
FROM looked ORDER BY finished_at DESC, id DESC LIMIT 1;
