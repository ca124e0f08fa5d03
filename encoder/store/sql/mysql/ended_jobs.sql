-- Retention: jobs that ended longer ago than $1 and of which no task is live, in the order in which they ended, behind a
-- place in it.
-- Index: jobs_ended, tasks_name_once. Locks: none.
-- $1 age, $2 limit, $3 and $4 behind this time and job
SELECT j.id, j.uuid, j.finished_at AS at FROM jobs j FORCE INDEX (jobs_ended)
WHERE j.finished_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
  AND j.finished_at >= $3 AND (j.finished_at > $3 OR j.id > $4)
  AND j.state IN ('completed', 'failed', 'cancelled')
  AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.job_id = j.id AND t.state NOT IN ('done', 'failed', 'cancelled'))
ORDER BY j.finished_at, j.id LIMIT $2;
