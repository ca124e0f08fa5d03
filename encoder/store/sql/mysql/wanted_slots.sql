-- Measure a queue for autoscalers: the slots that it wants. Those that are busy, and those for what may start: as much of
-- it as its oldest has waited of 120 s, at least half. What may not start wants none: what a tenant has beyond its cap, and
-- all that waits while the queue is paused. Autoscalers ask this very text, as a role that may read these columns alone.
-- Index: task_ready_pk, tasks_pk; tasks_heads, all that waits; tenant_quotas_pk, queues_pk; task_ready and task_leases
-- are read once, they are as small as the fleet. Locks: none.
-- $1 queue
SELECT CAST(busy.slots + CEIL(
  COALESCE(SUM(may.tasks), 0)
  * LEAST(1, GREATEST(0.5, COALESCE(TIMESTAMPDIFF(SECOND, MIN(CASE WHEN may.tasks > 0 THEN may.since END), UTC_TIMESTAMP(6)), 0) / 120))
) AS SIGNED) AS slots
FROM (SELECT COUNT(*) AS slots FROM task_leases WHERE queue = $1) AS busy LEFT JOIN (
  SELECT LEAST(behind.tasks, GREATEST(0, COALESCE(q.cap - COALESCE(had.used, 0), 1000))) AS tasks,
    (SELECT GREATEST(created_at, run_at) FROM tasks FORCE INDEX (tasks_heads)
     WHERE state = 'waiting' AND queue = $1 AND tenant_id = behind.tenant_id ORDER BY nice, id LIMIT 1) AS since
  FROM (
    SELECT tenant_id, COUNT(*) AS tasks FROM tasks FORCE INDEX (tasks_heads)
    WHERE state = 'waiting' AND queue = $1 AND NOT EXISTS (SELECT 1 FROM queues WHERE queue = $1 AND paused_at IS NOT NULL)
    GROUP BY tenant_id
  ) AS behind LEFT JOIN (
    SELECT place.tenant_id, SUM(place.weight) AS used FROM (
      SELECT tenant_id, weight FROM task_ready WHERE queue = $1
      UNION ALL
      SELECT tenant_id, weight FROM task_leases WHERE queue = $1
    ) AS place GROUP BY place.tenant_id
  ) AS had ON had.tenant_id = behind.tenant_id LEFT JOIN tenant_quotas q ON q.tenant_id = behind.tenant_id AND q.queue = $1
  UNION ALL
  SELECT 1, GREATEST(t.created_at, t.run_at) FROM task_ready r STRAIGHT_JOIN tasks t ON t.id = r.task_id AND t.state = 'ready'
  WHERE r.queue = $1
) AS may ON TRUE
GROUP BY busy.slots;
