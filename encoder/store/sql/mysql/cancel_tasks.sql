-- Cancel, first half: end what does not run. A claim that is being committed is waited for, and then left alone: the state
-- is asked again on the locked row.
-- Index: tasks_name_once; then tasks_pk. Locks: the job's open tasks by ascending id; the job is locked already. Their rows
-- in task_ready stay as tombstones: to lock them now would be against the order of locks.
-- $1 job
SELECT id FROM tasks
WHERE job_id = $1 AND kind <> 'notify' AND state IN ('blocked', 'scheduled', 'waiting', 'ready') ORDER BY id;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
SET t.state = 'cancelled', t.finished_at = UTC_TIMESTAMP(6)
WHERE t.state IN ('blocked', 'scheduled', 'waiting', 'ready');
