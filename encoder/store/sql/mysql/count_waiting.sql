-- Count the tasks that wait for their admission to a queue by tenant: of the first $2, in the order of tenants.
-- Index: tasks_heads. Reads: $2 tasks at most. Locks: none.
-- $1 queue, $2 how many are counted
SELECT tenant_id, COUNT(*) AS waiting FROM (
  SELECT tenant_id FROM tasks FORCE INDEX (tasks_heads)
  WHERE state = 'waiting' AND queue = $1 ORDER BY tenant_id, nice, id LIMIT $2
) AS head GROUP BY tenant_id;
