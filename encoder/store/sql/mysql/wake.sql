-- Wake: what there is to do, as hints; asked again and again, for there is no NOTIFY here. Queues that have work, and jobs
-- whose workers are to stop.
-- Index: task_ready_pk, read once per queue; task_leases is scanned, it is as small as the fleet; tasks_pk. Locks: none.
SELECT CONCAT('ready:', line.queue) AS hint FROM (SELECT DISTINCT queue FROM task_ready) AS line
UNION ALL
SELECT DISTINCT CONCAT('cancel:', t.job_id) FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id WHERE l.cancel;
