-- Admit, second: the tenants that wait in a queue, what each has there already, in line and running, and what it may
-- have. One snapshot: a claim moves a row from the one table to the other at once.
-- Index: tasks_heads, one look per tenant; tenant_quotas_pk; task_ready and task_leases are read once, they are as small
-- as the fleet. Locks: none.
-- $1 queue
WITH RECURSIVE tenant AS (
  (SELECT tenant_id AS id FROM tasks WHERE queue = $1 AND state = 'waiting' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (
    SELECT tenant_id FROM tasks WHERE queue = $1 AND state = 'waiting' AND tenant_id > tenant.id ORDER BY tenant_id LIMIT 1)
  FROM tenant WHERE tenant.id IS NOT NULL
), had AS MATERIALIZED (
  SELECT tenant_id, sum(weight)::integer AS used FROM (
    SELECT tenant_id, weight FROM task_ready WHERE queue = $1
    UNION ALL
    SELECT tenant_id, weight FROM task_leases WHERE queue = $1
  ) AS place GROUP BY tenant_id
)
SELECT tenant.id AS tenant_id, coalesce(had.used, 0) AS used, q.cap, coalesce(q.share, 1) AS share
FROM tenant LEFT JOIN had ON had.tenant_id = tenant.id
  LEFT JOIN tenant_quotas q ON q.tenant_id = tenant.id AND q.queue = $1
WHERE tenant.id IS NOT NULL;
