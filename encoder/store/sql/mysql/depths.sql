-- Measure queues: which there are; then of each: waiting, ready (without tombstones) and scheduled to 10,000, running, the age of the oldest that may run, since when it is paused, and why.
-- Index: tasks_heads, task_ready_pk, tasks_pk, tasks_due, queues_pk; task_leases is scanned, it is as small as the fleet. Locks: none.
-- $1 tenant or null, $2 a queue
SELECT queue FROM queues ORDER BY queue;
SELECT $2 AS queue, behind.waiting, line.ready,
  TIMESTAMPDIFF(MICROSECOND, LEAST(COALESCE(line.oldest, behind.oldest), COALESCE(behind.oldest, line.oldest)), UTC_TIMESTAMP(6))
    / 1000000 AS oldest_seconds, (
    SELECT COUNT(*) FROM (
      SELECT 1 FROM tasks
      WHERE state = 'scheduled' AND queue = $2 AND ($1 IS NULL OR tenant_id = $1) LIMIT 10000
    ) AS counted) AS scheduled, (
    SELECT COUNT(*) FROM task_leases WHERE queue = $2 AND ($1 IS NULL OR tenant_id = $1)) AS running,
  q.paused_at, q.paused_because
FROM (
  SELECT COUNT(*) AS ready, MIN(t.run_at) AS oldest
  FROM (
    SELECT task_id FROM task_ready WHERE queue = $2 AND ($1 IS NULL OR tenant_id = $1) ORDER BY seq LIMIT 10000
  ) AS head STRAIGHT_JOIN tasks t ON t.id = head.task_id AND t.state = 'ready'
) AS line CROSS JOIN (
  SELECT COUNT(*) AS waiting, MIN(run_at) AS oldest FROM (
    SELECT run_at FROM tasks FORCE INDEX (tasks_heads)
    WHERE state = 'waiting' AND queue = $2 AND ($1 IS NULL OR tenant_id = $1)
    ORDER BY tenant_id, nice, id LIMIT 10000
  ) AS head
) AS behind LEFT JOIN queues q ON q.queue = $2;
