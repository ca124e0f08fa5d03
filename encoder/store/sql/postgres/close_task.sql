-- Settle, the fence: deleting the lease is what exactly one can win. No row comes back when the claim is not held, or,
-- for a rescue ($8), when its owner lives after all.
-- With the time come the outputs as they stand, which only this transaction may change.
-- Index: task_leases_pk, tasks_pk, job_outputs_pk. Locks: the own lease, then its task; the job is locked already (not for notify).
-- $1 task, $2 epoch, $3 state, $4 delay, $5 lost, $6 released, $7 problem, $8 by rescue, $9 result
WITH lease AS (
  DELETE FROM task_leases
  WHERE task_id = $1 AND epoch = $2 AND (NOT $8::boolean OR least(expires_at, deadline_at) < clock_timestamp())
  RETURNING task_id
), closed AS (
  UPDATE tasks t SET
    state = $3, run_at = clock_timestamp() + $4::interval,
    lost = lost + $5::smallint, released = released + $6::smallint, attempt = attempt - $6::smallint,
    problem = $7::json, result = $9::json,
    finished_at = CASE WHEN $3 IN ('done', 'failed', 'cancelled') THEN clock_timestamp() END
  FROM lease WHERE t.id = lease.task_id AND t.epoch = $2 AND t.state = 'running'
  RETURNING t.job_id, t.then_id, t.started_at
)
SELECT clock_timestamp() AS at, closed.then_id, closed.started_at, (
  SELECT json_agg(json_build_object('id', position, 'state', state, 'delivered', delivered, 'problem', problem) ORDER BY position)
  FROM job_outputs WHERE job_id = closed.job_id) AS outputs
FROM closed;
