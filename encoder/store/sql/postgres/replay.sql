-- Replay, second half: a new notify task, unless one still waits, stands in line or runs; one that waits for its next try is
-- told now.
-- Index: tasks_name_once. Locks: the delivery's waiting task; the delivery is locked already.
-- $1 job, $2 delivery, $3 name, $4 attempts to notify
WITH known AS (
  SELECT id, state FROM tasks WHERE job_id = $1 AND (name = $3 OR name LIKE $3 || '/%')
), hurried AS (
  UPDATE tasks t SET state = 'waiting', run_at = clock_timestamp()
  FROM known WHERE t.id = known.id AND t.state = 'scheduled'
)
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT $1, tenant_id, $3 || '/' || (SELECT count(*) FROM known), 'notify', 'io', 'waiting', clock_timestamp(), $4,
       json_build_object('delivery', id), clock_timestamp()
FROM webhook_deliveries
WHERE id = $2 AND NOT EXISTS (SELECT FROM known WHERE state IN ('waiting', 'ready', 'running', 'scheduled'));
