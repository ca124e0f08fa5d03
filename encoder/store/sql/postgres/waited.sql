-- List how long tasks waited that began lately, by queue: those that run, and the first attempts of the jobs that ended
-- last, which nothing held back before.
-- Index: task_leases is scanned, it is as small as the fleet; tasks_pk; jobs_ended from its end on, tasks_name_once.
-- Reads: $1 jobs at most, and their tasks: OFFSET 0 has them looked up one by one, however many jobs are expected.
-- Locks: none.
-- $1 jobs, $2 within
SELECT t.queue, extract(epoch FROM t.started_at - t.run_at)::double precision AS waited_seconds
FROM task_leases l JOIN tasks t ON t.id = l.task_id
WHERE t.state = 'running' AND t.started_at > now() - $2::interval
UNION ALL
SELECT t.queue, extract(epoch FROM t.started_at - t.created_at)::double precision
FROM (
  SELECT id FROM jobs WHERE finished_at > now() - $2::interval ORDER BY finished_at DESC, id DESC LIMIT $1
) AS ended CROSS JOIN LATERAL (
  SELECT queue, created_at, started_at, finished_at, attempt, lost, released FROM tasks WHERE job_id = ended.id OFFSET 0
) AS t
WHERE t.attempt = 1 AND t.lost = 0 AND t.released = 0 AND t.finished_at IS NOT NULL AND t.started_at > now() - $2::interval;
