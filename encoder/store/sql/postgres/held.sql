-- The claim that is held at an epoch; no row where the lease is gone.
-- Index: task_leases_pk, tasks_pk. Locks: none.
-- $1 task, $2 epoch
SELECT l.worker_id, t.id AS task_id, l.epoch, t.job_id, t.tenant_id, t.kind, t.queue, t.name, t.attempt, t.lost, t.released,
       t.max_attempts, t.args, extract(epoch FROM t.started_at - t.run_at)::double precision AS waited_seconds
FROM task_leases l JOIN tasks t ON t.id = l.task_id
WHERE l.task_id = $1 AND l.epoch = $2;
