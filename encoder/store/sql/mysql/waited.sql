-- List how long tasks waited that began lately, by queue: those that run, and the first attempts of the jobs that ended
-- last, which nothing held back before.
-- Index: task_leases is scanned, it is as small as the fleet; tasks_pk; jobs_ended from its end on, tasks_name_once.
-- Reads: $1 jobs at most, and their tasks. Locks: none.
-- $1 jobs, $2 within
SELECT t.queue, TIMESTAMPDIFF(MICROSECOND, t.run_at, t.started_at) / 1000000 AS waited_seconds
FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id
WHERE t.state = 'running' AND t.started_at > UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND
UNION ALL
SELECT t.queue, TIMESTAMPDIFF(MICROSECOND, t.created_at, t.started_at) / 1000000
FROM (
  SELECT id FROM jobs FORCE INDEX (jobs_ended) WHERE finished_at > UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND
  ORDER BY finished_at DESC, id DESC LIMIT $1
) AS ended STRAIGHT_JOIN tasks t ON t.job_id = ended.id
WHERE t.attempt = 1 AND t.lost = 0 AND t.released = 0 AND t.finished_at IS NOT NULL
  AND t.started_at > UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND;
