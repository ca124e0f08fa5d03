-- Watch some jobs: what tells whether anything of one has changed. A beat brings progress, so its time stands for that.
-- Index: jobs_pk, tasks_name_once, task_leases_pk. Locks: none.
-- $1 jobs
SELECT j.id, j.event_seq, t.state, l.worker_id, l.beat_at, l.expires_at < clock_timestamp() AS silent
FROM unnest($1::bigint[]) AS b(id) JOIN jobs j ON j.id = b.id
LEFT JOIN tasks t ON (t.job_id, t.name) = (j.id, 't' || j.run) LEFT JOIN task_leases l ON l.task_id = t.id
WHERE j.deleted_at IS NULL;
