-- How long what comes next of each tenant waits in a queue: of the 21 that wait longest.
-- Index: tasks_heads, two looks per tenant that waits. Locks: none.
-- $1 queue
WITH RECURSIVE tenant AS (
  (SELECT tenant_id AS id FROM tasks WHERE queue = $1 AND state = 'waiting' ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (
    SELECT tenant_id FROM tasks WHERE queue = $1 AND state = 'waiting' AND tenant_id > tenant.id ORDER BY tenant_id LIMIT 1)
  FROM tenant WHERE tenant.id IS NOT NULL
)
SELECT tenant.id AS tenant_id, extract(epoch FROM clock_timestamp() - head.run_at)::double precision AS seconds
FROM tenant CROSS JOIN LATERAL (
  SELECT run_at FROM tasks WHERE queue = $1 AND state = 'waiting' AND tenant_id = tenant.id ORDER BY nice, id LIMIT 1
) AS head ORDER BY head.run_at LIMIT 21;
