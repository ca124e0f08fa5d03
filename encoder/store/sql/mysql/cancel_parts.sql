-- Settle of a part that failed for good: of the parts that nobody needs any more, those that do not run end; which did.
-- Index: tasks_pk. Locks: these tasks by ascending id; the job is locked already. Their rows in task_ready stay as
-- tombstones.
-- $1 tasks
SELECT t.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
WHERE t.state IN ('blocked', 'scheduled', 'waiting', 'ready') FOR UPDATE;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
SET t.state = 'cancelled', t.finished_at = UTC_TIMESTAMP(6);
