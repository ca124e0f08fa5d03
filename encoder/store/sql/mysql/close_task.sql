-- Settle, the fence: deleting the lease is what exactly one can win. Nothing is deleted when the claim is not held, or,
-- for a rescue ($8), when its owner lives after all.
-- Index: task_leases_pk, tasks_pk. Locks: the own lease, then its task; the job is locked already (not for notify).
-- $1 task, $2 epoch, $3 state, $4 delay, $5 lost, $6 released, $7 problem, $8 by rescue, $9 result
DELETE FROM task_leases
WHERE task_id = $1 AND epoch = $2 AND (NOT $8 OR LEAST(expires_at, deadline_at) < UTC_TIMESTAMP(6));
UPDATE tasks SET
  run_at = UTC_TIMESTAMP(6) + INTERVAL $4 MICROSECOND,
  lost = lost + $5, released = released + $6, attempt = attempt - $6,
  problem = $7,
  result = $9,
  finished_at = CASE WHEN $3 IN ('done', 'failed', 'cancelled') THEN UTC_TIMESTAMP(6) END,
  state = $3
WHERE id = $1 AND epoch = $2 AND state = 'running';
SELECT job_id, then_id, started_at FROM tasks WHERE id = $1;
