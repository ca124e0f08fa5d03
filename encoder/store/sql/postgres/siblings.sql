-- Settle of a part that failed for good: the parts beside it that have not ended, with their outputs.
-- Index: tasks_then. Locks: none; the job is locked already.
-- $1 the task behind
SELECT id, args FROM tasks WHERE then_id = $1 AND state NOT IN ('done', 'failed', 'cancelled') ORDER BY id;
