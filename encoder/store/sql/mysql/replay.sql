-- Replay, second half: a new notify task, unless one still waits, stands in line or runs; one that waits for its next
-- try is told now.
-- Index: tasks_name_once; then tasks_pk. Locks: the delivery's waiting task; the delivery is locked already.
-- $1 job, $2 name
SELECT id, state FROM tasks FORCE INDEX (tasks_name_once) WHERE job_id = $1 AND (name = $2 OR name LIKE CONCAT($2, '/%')) ORDER BY id;
-- $1 task
UPDATE tasks SET state = 'waiting', run_at = UTC_TIMESTAMP(6) WHERE id = $1 AND state = 'scheduled';
-- $1 delivery, $2 name, $3 attempts
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT job_id, tenant_id, $2, 'notify', 'io', 'waiting', UTC_TIMESTAMP(6), $3, CONCAT('{"delivery": ', id, '}'), UTC_TIMESTAMP(6)
FROM webhook_deliveries WHERE id = $1;
