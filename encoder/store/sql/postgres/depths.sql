-- Measure queues: waiting, ready (without tombstones) and scheduled to 10,000, running, the age of the oldest that may
-- run, since when it is paused, and why.
-- Index: tasks_heads, task_ready_pk, tasks_pk, tasks_due, queues_pk; task_leases is scanned, it is as small as the fleet. Locks: none.
-- $1 tenant or null
SELECT known.queue, behind.waiting, line.ready,
  extract(epoch FROM clock_timestamp() - least(line.oldest, behind.oldest))::double precision AS oldest_seconds, (
    SELECT count(*) FROM (
      SELECT FROM tasks
      WHERE state = 'scheduled' AND queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1) LIMIT 10000
    ) AS counted) AS scheduled, (
    SELECT count(*) FROM task_leases WHERE queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1)) AS running,
  known.paused_at, known.paused_because
FROM queues AS known CROSS JOIN LATERAL (
  SELECT count(*) AS ready, min(t.run_at) AS oldest
  FROM (
    SELECT task_id FROM task_ready
    WHERE queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1) ORDER BY seq LIMIT 10000
  ) AS head JOIN tasks t ON t.id = head.task_id AND t.state = 'ready'
) AS line CROSS JOIN LATERAL (
  SELECT count(*) AS waiting, min(run_at) AS oldest FROM (
    SELECT run_at FROM tasks
    WHERE state = 'waiting' AND queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1)
    ORDER BY tenant_id, nice, id LIMIT 10000
  ) AS head
) AS behind
ORDER BY known.queue;
