-- How long what comes next of each tenant waits in a queue: of the 21 that wait longest.
-- Index: tasks_heads, all that waits, and one look more per tenant. Locks: none.
-- $1 queue
SELECT head.tenant_id, TIMESTAMPDIFF(MICROSECOND, head.run_at, UTC_TIMESTAMP(6)) / 1000000 AS seconds FROM (
  SELECT behind.tenant_id, (
    SELECT run_at FROM tasks FORCE INDEX (tasks_heads)
    WHERE state = 'waiting' AND queue = $1 AND tenant_id = behind.tenant_id ORDER BY nice, id LIMIT 1) AS run_at
  FROM (
    SELECT DISTINCT tenant_id FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = $1
  ) AS behind
) AS head ORDER BY head.run_at LIMIT 21;
