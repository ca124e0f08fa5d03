-- List what workers run now, and how far each of it is.
-- Index: task_leases is scanned, it is as small as the fleet; tasks_pk, jobs_pk. Locks: none.
-- $1 workers
SELECT l.worker_id, t.id AS task_id, t.job_id, j.uuid AS job_uuid, j.label, t.tenant_id, t.name, t.kind, t.queue, t.attempt,
       l.stage, l.live, l.beat_at, t.started_at AS since
FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id STRAIGHT_JOIN jobs j ON j.id = t.job_id
WHERE JSON_CONTAINS($1, JSON_QUOTE(HEX(l.worker_id))) ORDER BY t.id;
