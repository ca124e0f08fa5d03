-- Read which attempts at a job are under way, by the database's time; without one, a row of nothing but that.
-- Index: tasks_name_once, task_leases_pk, workers_pk. Locks: none.
-- $1 job
SELECT clock_timestamp() AS at, t.name, t.epoch, t.attempt, t.run_at, t.started_at, l.beat_at, l.expires_at, l.live, w.host
FROM (SELECT 1 AS one) AS o
LEFT JOIN tasks t ON t.job_id = $1 AND t.state = 'running' AND t.kind <> 'notify'
LEFT JOIN task_leases l ON l.task_id = t.id AND l.epoch = t.epoch
LEFT JOIN workers w ON w.id = l.worker_id
ORDER BY t.id;
