-- Retention: jobs that their callers deleted, of which no task is live and that are not marked yet, in that order, behind a
-- place in it.
-- Index: jobs_deleted, tasks_name_once. Locks: none.
-- $1 limit, $2 and $3 behind this time and job
SELECT j.id, j.uuid, j.deleted_at AS at FROM jobs j FORCE INDEX (jobs_deleted)
WHERE j.deleted_at >= $2 AND (j.deleted_at > $2 OR j.id > $3) AND j.purging_at IS NULL
  AND j.state IN ('completed', 'failed', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.job_id = j.id AND t.state NOT IN ('done', 'failed', 'cancelled'))
ORDER BY j.deleted_at, j.id LIMIT $1;
