-- Settle of a part that failed for good: what is not yet running beside it, and the task behind it, ends.
-- Index: tasks_then, tasks_pk. Locks: these tasks by ascending id; the job is locked already. Their rows in task_ready stay
-- as tombstones.
-- $1 the task behind
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks
  WHERE id IN (SELECT $1 UNION ALL SELECT id FROM tasks WHERE then_id = $1)
    AND state IN ('blocked', 'scheduled', 'waiting', 'ready')
  ORDER BY id FOR UPDATE
)
UPDATE tasks t SET state = 'cancelled', finished_at = clock_timestamp() FROM mine WHERE t.id = mine.id;
