-- Read some jobs, whose numbers are known, as a list tells them; what is deleted does not come back.
-- Index: jobs_pk, then as in job.sql. Locks: none.
-- $1 jobs
SELECT
  j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, j.cancel_requested, j.problem,
  j.created_at, j.started_at, j.finished_at, j.purging_at, NULL::bytea AS sealed, NULL::json AS media,
  t.id AS task_id, t.queue AS task_queue, t.state AS task_state, t.run_at, t.problem AS task_problem,
  l.worker_id, l.beat_at, l.expires_at < clock_timestamp() AS silent, l.live, w.host
FROM unnest($1::bigint[]) AS b(id) JOIN jobs j ON j.id = b.id
LEFT JOIN tasks r ON (r.job_id, r.name) = (j.id, 't' || j.run)
LEFT JOIN tasks a ON (a.job_id, a.name) = (j.id, 't' || j.run || '/join')
LEFT JOIN tasks t ON t.id = coalesce(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id LEFT JOIN workers w ON w.id = l.worker_id
WHERE j.deleted_at IS NULL;
