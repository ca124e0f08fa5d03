-- Find leases past their time, for a rescue. The guard is checked again on the locked row when it is settled.
-- Index: none on purpose (task_leases is scanned, it is as small as the fleet), tasks_pk. Locks: none.
-- $1 limit
SELECT l.worker_id, t.id AS task_id, l.epoch, t.job_id, t.tenant_id, t.kind, t.queue, t.name, t.attempt, t.lost, t.released,
       t.max_attempts, t.args, extract(epoch FROM t.started_at - t.run_at)::double precision AS waited_seconds,
       l.expires_at >= clock_timestamp() AS by_deadline
FROM task_leases l JOIN tasks t ON t.id = l.task_id
WHERE least(l.expires_at, l.deadline_at) < clock_timestamp()
LIMIT $1;
