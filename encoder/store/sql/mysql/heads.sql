-- Admit, third: what comes next of a tenant.
-- Index: tasks_heads, $3 rows. Locks: none.
-- $1 queue, $2 tenant, $3 limit
SELECT tenant_id, id, weight FROM tasks FORCE INDEX (tasks_heads)
WHERE state = 'waiting' AND queue = $1 AND tenant_id = $2 ORDER BY nice, id LIMIT $3;
