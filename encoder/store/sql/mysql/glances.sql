-- Watch some jobs: what tells whether anything of one has changed. A beat brings progress, so its time stands for that;
-- of a job whose chunks are made, the last beat of those who make them.
-- Index: jobs_pk, tasks_name_once, tasks_pk, task_leases_pk; of such a job tasks_then, a row for each chunk. Locks: none.
-- $1 jobs
SELECT j.id, j.event_seq, t.state, l.worker_id, COALESCE(l.beat_at, CASE WHEN t.state = 'blocked' THEN (
    SELECT MAX(l.beat_at) FROM tasks p FORCE INDEX (tasks_then) STRAIGHT_JOIN task_leases l ON l.task_id = p.id
    WHERE p.then_id = t.id AND p.state = 'running') END) AS beat_at,
  COALESCE(l.expires_at, CASE WHEN t.state = 'blocked' THEN (
    SELECT MAX(l.expires_at) FROM tasks p FORCE INDEX (tasks_then) STRAIGHT_JOIN task_leases l ON l.task_id = p.id
    WHERE p.then_id = t.id AND p.state = 'running') END) < UTC_TIMESTAMP(6) AS silent
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
LEFT JOIN tasks r ON r.job_id = j.id AND r.name = CONCAT('t', j.run)
LEFT JOIN tasks a ON a.job_id = j.id AND a.name = CONCAT('t', j.run, '/join')
LEFT JOIN tasks t ON t.id = COALESCE(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id
WHERE j.deleted_at IS NULL;
