-- Retention: mark jobs whose time is over, unless one of them has a live task after all, or ran again and ended later; what is
-- deleted or marked goes whenever it ended. Nobody can run them again from then on, and nothing of them is handed out.
-- Index: jobs_pk, tasks_name_once. Locks: the jobs by ascending id, with SKIP LOCKED.
-- $1 jobs, $2 ended at or before this, or null
WITH mine AS MATERIALIZED (
  SELECT id FROM jobs j
  WHERE id = ANY($1::bigint[]) AND state IN ('completed', 'failed', 'cancelled')
    AND ($2::timestamptz IS NULL OR finished_at <= $2 OR deleted_at IS NOT NULL OR purging_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = j.id AND t.state NOT IN ('done', 'failed', 'cancelled'))
  ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET purging_at = coalesce(purging_at, now()) FROM mine WHERE jobs.id = mine.id RETURNING jobs.id;
