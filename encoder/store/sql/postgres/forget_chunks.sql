-- Retention, second half: these jobs have no chunks in the storage any more; not one that ran again and ended later.
-- Index: job_chunks_pk, jobs_pk. Locks: the jobs by ascending id, with SKIP LOCKED.
-- $1 jobs, $2 ended at or before this
WITH mine AS MATERIALIZED (
  SELECT id FROM jobs
  WHERE id = ANY($1::bigint[]) AND state IN ('completed', 'failed', 'cancelled') AND finished_at <= $2
  ORDER BY id FOR UPDATE SKIP LOCKED
)
DELETE FROM job_chunks c USING mine WHERE c.job_id = mine.id;
