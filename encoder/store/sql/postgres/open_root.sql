-- Retry: the root task of a new run, with the args of the first. No ended task is opened again: epochs and paths never
-- repeat.
-- With the time come the outputs as they stand.
-- Index: tasks_name_once, job_outputs_pk. Locks: none but the new rows; the job is locked already.
-- $1 job, $2 name, $3 nice, $4 attempts, $5 queue
WITH task AS (
  INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, state, run_at, max_attempts, args, created_at)
  SELECT id, tenant_id, $2, 'transcode', $5, $3, 'waiting', clock_timestamp(), $4,
         coalesce((SELECT args FROM tasks WHERE job_id = $1 AND name = 't1'), '{}'), clock_timestamp()
  FROM jobs WHERE id = $1
  RETURNING created_at
)
SELECT created_at AS at, (
  SELECT json_agg(json_build_object('id', position, 'state', state, 'delivered', delivered, 'problem', problem) ORDER BY position)
  FROM job_outputs WHERE job_id = $1) AS outputs
FROM task;
