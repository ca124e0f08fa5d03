-- Measure queues: ready (without tombstones) and scheduled to 10,000, running, and the age of the oldest ready task.
-- Index: task_ready_pk, tasks_pk, tasks_due; task_leases is scanned, it is as small as the fleet. Locks: none.
-- $1 tenant or null, $2 queues that are always shown, beside those of live workers
WITH known AS (
  SELECT unnest($2::text[]) AS queue UNION SELECT unnest(queues) FROM workers
)
SELECT known.queue, line.ready, line.oldest_seconds, (
    SELECT count(*) FROM (
      SELECT FROM tasks
      WHERE state = 'scheduled' AND queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1) LIMIT 10000
    ) AS counted) AS scheduled, (
    SELECT count(*) FROM task_leases WHERE queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1)) AS running
FROM known CROSS JOIN LATERAL (
  SELECT count(*) AS ready, extract(epoch FROM clock_timestamp() - min(t.run_at))::double precision AS oldest_seconds
  FROM (
    SELECT task_id FROM task_ready
    WHERE queue = known.queue AND ($1::bigint IS NULL OR tenant_id = $1) ORDER BY seq LIMIT 10000
  ) AS head JOIN tasks t ON t.id = head.task_id AND t.state = 'ready'
) AS line
ORDER BY known.queue;
