-- Read some jobs, whose numbers are known, as a list tells them, newest first; what is deleted does not come back.
-- Index: jobs_pk, then as in job.sql. Locks: none.
-- $1 jobs
SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, NULL AS sealed, j.cancel_requested,
       NULL AS media, j.problem, j.created_at, j.started_at, j.finished_at, j.purging_at, t.id AS task_id, t.queue AS task_queue, t.state AS task_state, t.run_at,
       t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < UTC_TIMESTAMP(6) AS silent,
       l.live, w.host
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
LEFT JOIN tasks r ON r.job_id = j.id AND r.name = CONCAT('t', j.run)
LEFT JOIN tasks a ON a.job_id = j.id AND a.name = CONCAT('t', j.run, '/join')
LEFT JOIN tasks t ON t.id = COALESCE(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN workers w ON w.id = l.worker_id
WHERE j.deleted_at IS NULL
ORDER BY j.id DESC;
