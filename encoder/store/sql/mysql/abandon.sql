-- Settle of a part that failed for good: what is not yet running beside it, and the task behind it, ends. The state is asked
-- again on the locked rows.
-- Index: tasks_then, tasks_pk. Locks: these tasks by ascending id; the job is locked already. Their rows in task_ready stay
-- as tombstones.
-- $1 the task behind
SELECT id FROM tasks FORCE INDEX (tasks_then) WHERE then_id = $1 ORDER BY id;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
SET t.state = 'cancelled', t.finished_at = UTC_TIMESTAMP(6)
WHERE t.state IN ('blocked', 'scheduled', 'waiting', 'ready');
