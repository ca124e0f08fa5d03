-- Watch some jobs: what tells whether anything of one has changed. A beat brings progress, so its time stands for that;
-- of a job whose chunks are made, the last beat of those who make them.
-- Index: jobs_pk, tasks_name_once, tasks_pk, task_leases_pk; of such a job tasks_then, a row for each chunk. Locks: none.
-- $1 jobs
SELECT j.id, j.event_seq, t.state, l.worker_id, coalesce(l.beat_at, c.beat_at) AS beat_at,
       coalesce(l.expires_at, c.expires_at) < clock_timestamp() AS silent
FROM unnest($1::bigint[]) AS b(id) JOIN jobs j ON j.id = b.id
LEFT JOIN tasks r ON (r.job_id, r.name) = (j.id, 't' || j.run)
LEFT JOIN tasks a ON (a.job_id, a.name) = (j.id, 't' || j.run || '/join')
LEFT JOIN tasks t ON t.id = coalesce(a.id, r.id)
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN LATERAL (
  SELECT max(l.beat_at) AS beat_at, max(l.expires_at) AS expires_at
  FROM tasks p JOIN task_leases l ON l.task_id = p.id WHERE p.then_id = t.id AND p.state = 'running'
) AS c ON t.state = 'blocked'
WHERE j.deleted_at IS NULL;
