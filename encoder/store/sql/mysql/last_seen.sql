-- Read what a worker told last of a task, before its lease is taken away.
-- Index: task_leases_pk, workers_pk. Locks: none.
-- $1 task, $2 epoch
SELECT l.beat_at, l.live, w.host FROM task_leases l LEFT JOIN workers w ON w.id = l.worker_id
WHERE l.task_id = $1 AND l.epoch = $2;
