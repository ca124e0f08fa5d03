-- How many slots of a queue a tenant may have now, beside those that it has: what live workers have for it, without what
-- runs there, stands in line and waits, of that 1,000 at most; none while the queue is paused; no more than the tenant's cap
-- leaves it.
-- Index: queues_pk, tenant_quotas_pk, tasks_heads; workers, task_leases and task_ready are read, they are as small as the
-- fleet. Locks: none.
-- $1 queue, $2 tenant, $3 within
SELECT CAST(CASE WHEN q.paused_at IS NULL THEN GREATEST(0, LEAST(
  (SELECT COALESCE(SUM(JSON_EXTRACT(slots, CONCAT('$."', q.queue, '"'))), 0) FROM workers
   WHERE JSON_CONTAINS(queues, JSON_QUOTE(q.queue)) AND NOT draining AND seen_at > UTC_TIMESTAMP(6) - INTERVAL $3 MICROSECOND)
  - (SELECT COUNT(*) FROM task_leases WHERE queue = $1) - (SELECT COUNT(*) FROM task_ready WHERE queue = $1)
  - (SELECT COUNT(*) FROM (
      SELECT 1 FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = $1 LIMIT 1000) AS counted),
  COALESCE(quota.cap - (SELECT COUNT(*) FROM task_leases WHERE queue = $1 AND tenant_id = $2)
    - (SELECT COUNT(*) FROM task_ready WHERE queue = $1 AND tenant_id = $2), 1000000))) ELSE 0 END AS SIGNED) AS slots
FROM queues q LEFT JOIN tenant_quotas quota ON quota.tenant_id = $2 AND quota.queue = q.queue WHERE q.queue = $1;
