-- Admit, third: what comes next of each of these tenants.
-- Index: tasks_heads, $3 rows per tenant. Locks: none.
-- $1 queue, $2 tenants, $3 limit for each
SELECT head.tenant_id, head.id, head.weight FROM unnest($2::bigint[]) AS tenant(id) CROSS JOIN LATERAL (
  SELECT tenant_id, id, weight, nice FROM tasks
  WHERE queue = $1 AND state = 'waiting' AND tenant_id = tenant.id ORDER BY nice, id LIMIT $3
) AS head ORDER BY head.tenant_id, head.nice, head.id;
