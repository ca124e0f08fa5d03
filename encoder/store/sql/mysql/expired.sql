-- Find leases past their time, for a rescue. The guard is checked again on the locked row when it is settled.
-- Index: none on purpose (task_leases is scanned, it is as small as the fleet), tasks_pk. Locks: none.
-- $1 limit
SELECT l.worker_id, t.id AS task_id, l.epoch, t.job_id, t.tenant_id, t.kind, t.queue, t.name, t.attempt, t.lost, t.released,
       t.max_attempts, t.args, TIMESTAMPDIFF(MICROSECOND, t.run_at, t.started_at) / 1000000 AS waited_seconds,
       l.expires_at >= UTC_TIMESTAMP(6) AS by_deadline
FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id
WHERE LEAST(l.expires_at, l.deadline_at) < UTC_TIMESTAMP(6)
LIMIT $1;
