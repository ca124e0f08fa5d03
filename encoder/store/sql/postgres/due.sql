-- Due sweep: scheduled tasks whose time has come wait for their admission. now(), not clock_timestamp(): only a value
-- that stands still can be looked up in an index.
-- Index: tasks_due. Locks: the tasks, with SKIP LOCKED.
-- $1 limit
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks WHERE state = 'scheduled' AND run_at <= now() ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED
), opened AS (
  UPDATE tasks t SET state = 'waiting' FROM mine WHERE t.id = mine.id RETURNING t.queue
)
SELECT DISTINCT queue FROM opened;
