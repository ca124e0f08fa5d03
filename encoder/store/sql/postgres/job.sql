-- Read a job by number or uuid, with the root task of its run, that task's lease and the worker who holds it.
-- Index: jobs_pk or jobs_uuid_once, tasks_name_once, task_leases_pk, workers_pk. Locks: none.
-- $1 id or null, $2 uuid or null, $3 tenant or null for any, $4 also deleted
SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, j.sealed, j.cancel_requested, j.media, j.problem,
       j.created_at, j.started_at, j.finished_at, t.queue AS task_queue, t.state AS task_state, t.run_at,
       t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < clock_timestamp() AS silent,
       l.live, w.host
FROM jobs j
LEFT JOIN tasks t ON t.job_id = j.id AND t.name = 't' || j.run
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN workers w ON w.id = l.worker_id
WHERE (j.id = $1::bigint OR j.uuid = $2::uuid) AND ($3::bigint IS NULL OR j.tenant_id = $3)
  AND ($4::boolean OR j.deleted_at IS NULL);
