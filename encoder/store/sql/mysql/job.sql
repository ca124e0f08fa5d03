-- Read a job by number (the first) or uuid (the second), with the root task of its run, or the one that joins its
-- chunks, that task's lease and the worker who holds it. One for each, for one condition over both keys uses neither index.
-- Index: jobs_pk or jobs_uuid_once, tasks_name_once, tasks_pk, task_leases_pk, workers_pk. Locks: none.
-- $1 id or null, $2 uuid or null, $3 tenant or null for any, $4 also deleted
SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, j.sealed, j.cancel_requested, j.media, j.problem,
       j.created_at, j.started_at, j.finished_at, j.purging_at, t.id AS task_id, t.queue AS task_queue, t.state AS task_state, t.run_at,
       t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < UTC_TIMESTAMP(6) AS silent,
       l.live, w.host
FROM jobs j
LEFT JOIN tasks r ON r.job_id = j.id AND r.name = CONCAT('t', j.run)
LEFT JOIN tasks a ON a.job_id = j.id AND a.name = CONCAT('t', j.run, '/join')
LEFT JOIN tasks t ON t.id = COALESCE(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN workers w ON w.id = l.worker_id
WHERE j.id = $1 AND ($3 IS NULL OR j.tenant_id = $3) AND ($4 OR j.deleted_at IS NULL);
SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, j.sealed, j.cancel_requested, j.media, j.problem,
       j.created_at, j.started_at, j.finished_at, j.purging_at, t.id AS task_id, t.queue AS task_queue, t.state AS task_state, t.run_at,
       t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < UTC_TIMESTAMP(6) AS silent,
       l.live, w.host
FROM jobs j
LEFT JOIN tasks r ON r.job_id = j.id AND r.name = CONCAT('t', j.run)
LEFT JOIN tasks a ON a.job_id = j.id AND a.name = CONCAT('t', j.run, '/join')
LEFT JOIN tasks t ON t.id = COALESCE(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN workers w ON w.id = l.worker_id
WHERE j.uuid = $2 AND ($3 IS NULL OR j.tenant_id = $3) AND ($4 OR j.deleted_at IS NULL);
-- Its outputs whole, but for their logs.
-- Index: job_outputs_pk. Locks: none.
-- $1 job
SELECT position, state AS output_state, attempts, plan, command, intent, delivered, proof,
       problem AS output_problem, warnings, timings, updated_at
FROM job_outputs WHERE job_id = $1 ORDER BY position;
