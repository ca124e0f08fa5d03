-- Due sweep: scheduled tasks whose time has come get their place in line. now(), not clock_timestamp(): only a value
-- that stands still can be looked up in an index.
-- Index: tasks_due. Locks: the tasks, with SKIP LOCKED.
-- $1 limit
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks WHERE state = 'scheduled' AND run_at <= now() ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED
), opened AS (
  UPDATE tasks t SET state = 'ready' FROM mine WHERE t.id = mine.id
  RETURNING t.id, t.queue, t.nice, t.tenant_id, t.weight
), line AS (
  INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
  SELECT queue, nice * (1::bigint << 40) + id, id, tenant_id, weight FROM opened
)
SELECT DISTINCT queue FROM opened;
