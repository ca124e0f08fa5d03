-- Read the outputs of a page of jobs, short: no plan, command or proof.
-- Index: job_outputs_pk. Locks: none.
-- $1 jobs
SELECT job_id, position, state AS output_state, attempts, NULL::json AS plan, NULL::json AS command, NULL::json AS intent, delivered,
       NULL::json AS proof, problem AS output_problem, NULL::json AS warnings, timings, updated_at
FROM job_outputs WHERE job_id = ANY($1::bigint[]) ORDER BY job_id, position;
