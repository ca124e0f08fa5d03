-- Wake: what there is to do, as hints; asked again and again, for there is no NOTIFY here. Queues that have work, and jobs
-- whose workers are to stop.
-- Index: queues_pk, all of it; task_ready_pk and tasks_heads, one look per queue; task_leases is scanned, it is as small as the fleet; tasks_pk. Locks: none.
SELECT CONCAT('ready:', q.queue) AS hint FROM queues q
WHERE EXISTS (SELECT 1 FROM task_ready WHERE queue = q.queue) OR q.paused_at IS NULL AND EXISTS (
  SELECT 1 FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = q.queue)
UNION ALL
SELECT DISTINCT CONCAT('cancel:', t.job_id) FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id WHERE l.cancel;
