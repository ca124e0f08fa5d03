-- Read the outputs of one job whole, but for their logs.
-- Index: job_outputs_pk. Locks: none.
-- $1 job
SELECT position, state, attempts, plan, command, intent, delivered, proof, problem, warnings, timings, updated_at
FROM job_outputs WHERE job_id = $1 ORDER BY position;
