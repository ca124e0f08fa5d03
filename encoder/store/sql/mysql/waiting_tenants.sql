-- Admit, second: the tenants that wait in a queue; what each has there already, in line and running, and what it may have.
-- The former in one snapshot: a claim moves a row from the one table to the other at once.
-- Index: tasks_heads, one look per tenant; tenant_quotas_pk; task_ready and task_leases are read once, they are as small
-- as the fleet. Locks: none.
-- $1 queue, $2 behind this tenant
SELECT tenant_id FROM tasks FORCE INDEX (tasks_heads)
WHERE state = 'waiting' AND queue = $1 AND tenant_id > $2 ORDER BY tenant_id LIMIT 1;
-- $1 queue, $2 tenants
SELECT b.id AS tenant_id, CAST(COALESCE(had.used, 0) AS SIGNED) AS used, q.cap, COALESCE(q.share, 1) AS share
FROM JSON_TABLE($2, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b LEFT JOIN (
  SELECT place.tenant_id, SUM(place.weight) AS used FROM (
    SELECT tenant_id, weight FROM task_ready WHERE queue = $1
    UNION ALL
    SELECT tenant_id, weight FROM task_leases WHERE queue = $1
  ) AS place GROUP BY place.tenant_id
) AS had ON had.tenant_id = b.id LEFT JOIN tenant_quotas q ON q.tenant_id = b.id AND q.queue = $1;
