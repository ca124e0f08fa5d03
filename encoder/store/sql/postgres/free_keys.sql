-- Retention: idempotency keys of jobs that were submitted longer ago than $1 are free again, in that order, behind a place
-- in it. How far it looked comes back; nothing, where there was nothing to look at.
-- Index: jobs_created, jobs_pk. Reads: $2 jobs at most. Locks: the jobs that had keys.
-- $1 age, $2 how many, $3 and $4 behind this time and job
WITH looked AS MATERIALIZED (
  SELECT id, created_at, idempotency_key IS NOT NULL AS keyed FROM jobs
  WHERE created_at < now() - $1::interval AND created_at >= $3::timestamptz AND (created_at, id) > ($3, $4::bigint)
  ORDER BY created_at, id LIMIT $2
), mine AS MATERIALIZED (
  SELECT jobs.id FROM jobs JOIN looked ON looked.id = jobs.id WHERE looked.keyed ORDER BY jobs.id FOR UPDATE OF jobs
), freed AS (
  UPDATE jobs SET idempotency_key = NULL, body_hash = NULL FROM mine WHERE jobs.id = mine.id RETURNING jobs.id
)
SELECT id, created_at AS at, (SELECT count(*) FROM freed) AS freed FROM looked ORDER BY created_at DESC, id DESC LIMIT 1;
