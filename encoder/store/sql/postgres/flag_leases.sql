-- Cancel, second half: tell the workers that run tasks of the job, by their next beat. A statement of its own, so that
-- it sees a claim that won in between.
-- With the time come the outputs as they stand.
-- Index: tasks_name_once, task_leases_pk, job_outputs_pk. Locks: the leases by ascending id; the job is locked already.
-- $1 job
WITH mine AS MATERIALIZED (
  SELECT l.task_id FROM tasks t JOIN task_leases l ON l.task_id = t.id
  WHERE t.job_id = $1 AND t.kind <> 'notify' ORDER BY l.task_id FOR UPDATE OF l
), flagged AS (
  UPDATE task_leases l SET cancel = true FROM mine WHERE l.task_id = mine.task_id RETURNING l.task_id
)
SELECT clock_timestamp() AS at, (SELECT count(*) FROM flagged) AS running, (
  SELECT json_agg(json_build_object('id', position, 'state', state, 'delivered', delivered, 'problem', problem) ORDER BY position)
  FROM job_outputs WHERE job_id = $1) AS outputs;
