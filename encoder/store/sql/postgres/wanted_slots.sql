-- Measure a queue for autoscalers: the slots that it wants. Those that are busy, and those for what may start: as much of
-- it as its oldest has waited of 120 s, at least half. What may not start wants none: what a tenant has beyond its cap, and
-- all that waits while the queue is paused. Autoscalers ask this very text, as a role that may read these columns alone.
-- Index: task_ready_pk, tasks_pk; tasks_heads, one look per tenant that waits and 1,000 of its tasks at most;
-- tenant_quotas_pk, queues_pk; task_ready and task_leases are read once, they are as small as the fleet. Locks: none.
-- $1 queue
WITH RECURSIVE tenant AS (
  (SELECT tenant_id AS id FROM tasks WHERE queue = $1 AND state = 'waiting' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (
    SELECT tenant_id FROM tasks WHERE queue = $1 AND state = 'waiting' AND tenant_id > tenant.id ORDER BY tenant_id LIMIT 1)
  FROM tenant WHERE tenant.id IS NOT NULL
), line AS MATERIALIZED (
  SELECT r.tenant_id, r.weight, greatest(t.created_at, t.run_at) AS since
  FROM task_ready r JOIN tasks t ON t.id = r.task_id AND t.state = 'ready' WHERE r.queue = $1
), busy AS MATERIALIZED (
  SELECT tenant_id, weight FROM task_leases WHERE queue = $1
), had AS MATERIALIZED (
  SELECT tenant_id, sum(weight) AS used FROM (
    SELECT tenant_id, weight FROM line UNION ALL SELECT tenant_id, weight FROM busy
  ) AS place GROUP BY tenant_id
), may AS (
  SELECT least(behind.tasks, greatest(0, coalesce(q.cap - coalesce(had.used, 0), 1000))) AS tasks, head.since
  FROM tenant LEFT JOIN had ON had.tenant_id = tenant.id LEFT JOIN tenant_quotas q ON q.tenant_id = tenant.id AND q.queue = $1
  CROSS JOIN LATERAL (
    SELECT count(*) AS tasks FROM (
      SELECT FROM tasks WHERE queue = $1 AND state = 'waiting' AND tenant_id = tenant.id LIMIT 1000) AS counted
  ) AS behind CROSS JOIN LATERAL (
    SELECT greatest(created_at, run_at) AS since FROM tasks
    WHERE queue = $1 AND state = 'waiting' AND tenant_id = tenant.id ORDER BY nice, id LIMIT 1
  ) AS head
  WHERE NOT EXISTS (SELECT FROM queues WHERE queue = $1 AND paused_at IS NOT NULL)
  UNION ALL
  SELECT 1, since FROM line
)
SELECT ((SELECT count(*) FROM busy) + ceil(
  coalesce(sum(tasks), 0)
  * least(1, greatest(0.5, extract(epoch FROM now() - min(since) FILTER (WHERE tasks > 0)) / 120))))::bigint AS slots
FROM may;
