-- Settle of a part that failed for good: of the parts that nobody needs any more, those that do not run end; which did.
-- Index: tasks_pk. Locks: these tasks by ascending id; the job is locked already. Their rows in task_ready stay as
-- tombstones.
-- $1 tasks
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks
  WHERE id = ANY($1::bigint[]) AND state IN ('blocked', 'scheduled', 'waiting', 'ready') ORDER BY id FOR UPDATE
)
UPDATE tasks t SET state = 'cancelled', finished_at = clock_timestamp() FROM mine WHERE t.id = mine.id RETURNING t.id;
