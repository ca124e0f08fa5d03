-- Mark, the fence: the lease is ours and stays ours until the commit. With the time come the outputs as they stand.
-- Index: task_leases_pk, job_outputs_pk. Locks: the own lease; the job is locked already.
-- $1 task, $2 epoch, $3 job
SELECT clock_timestamp() AS at, (
  SELECT json_agg(json_build_object('id', position, 'state', state, 'delivered', delivered, 'problem', problem) ORDER BY position)
  FROM job_outputs WHERE job_id = $3) AS outputs
FROM task_leases WHERE task_id = $1 AND epoch = $2 FOR UPDATE;
