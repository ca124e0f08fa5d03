-- How many slots of a queue a tenant may have now, beside those that it has: what live workers have for it, without what
-- runs there, stands in line and waits, of that 1,000 at most; none while the queue is paused; no more than the tenant's cap
-- leaves it.
-- Index: queues_pk, tenant_quotas_pk, tasks_heads; workers, task_leases and task_ready are read once, they are as small as
-- the fleet. Locks: none.
-- $1 queue, $2 tenant, $3 within
WITH taken AS MATERIALIZED (
  SELECT tenant_id FROM task_leases WHERE queue = $1 UNION ALL SELECT tenant_id FROM task_ready WHERE queue = $1
)
SELECT CASE WHEN q.paused_at IS NULL THEN greatest(0, least(
  (SELECT coalesce(sum((slots->>$1)::integer), 0) FROM workers
   WHERE $1 = ANY(queues) AND NOT draining AND seen_at > now() - $3::interval)
  - (SELECT count(*) FROM taken)
  - (SELECT count(*) FROM (SELECT FROM tasks WHERE queue = $1 AND state = 'waiting' LIMIT 1000) AS counted),
  quota.cap - (SELECT count(*) FROM taken WHERE tenant_id = $2))) ELSE 0 END::integer AS slots
FROM queues q LEFT JOIN tenant_quotas quota ON quota.tenant_id = $2 AND quota.queue = q.queue WHERE q.queue = $1;
