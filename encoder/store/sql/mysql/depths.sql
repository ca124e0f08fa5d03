-- Measure queues: which there are, those always shown and those of live workers; then of each: ready (without tombstones)
-- and scheduled to 10,000, running, and the age of the oldest ready task.
-- Index: task_ready_pk, tasks_pk, tasks_due; task_leases is scanned, it is as small as the fleet. Locks: none.
-- $1 tenant or null, $2 queues that are always shown, $3 a queue
SELECT DISTINCT known.queue FROM (
  SELECT b.queue FROM JSON_TABLE($2, '$[*]' COLUMNS (queue VARCHAR(128) PATH '$')) AS b
  UNION ALL
  SELECT b.queue FROM workers w, JSON_TABLE(w.queues, '$[*]' COLUMNS (queue VARCHAR(128) PATH '$')) AS b
) AS known ORDER BY known.queue;
SELECT $3 AS queue, line.ready, line.oldest_seconds, (
    SELECT COUNT(*) FROM (
      SELECT 1 FROM tasks
      WHERE state = 'scheduled' AND queue = $3 AND ($1 IS NULL OR tenant_id = $1) LIMIT 10000
    ) AS counted) AS scheduled, (
    SELECT COUNT(*) FROM task_leases WHERE queue = $3 AND ($1 IS NULL OR tenant_id = $1)) AS running
FROM (
  SELECT COUNT(*) AS ready, TIMESTAMPDIFF(MICROSECOND, MIN(t.run_at), UTC_TIMESTAMP(6)) / 1000000 AS oldest_seconds
  FROM (
    SELECT task_id FROM task_ready WHERE queue = $3 AND ($1 IS NULL OR tenant_id = $1) ORDER BY seq LIMIT 10000
  ) AS head STRAIGHT_JOIN tasks t ON t.id = head.task_id AND t.state = 'ready'
) AS line;
