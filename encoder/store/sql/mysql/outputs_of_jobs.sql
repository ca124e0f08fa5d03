-- Read the outputs of a page of jobs, short: no plan, command or proof.
-- Index: job_outputs_pk. Locks: none.
-- $1 jobs
SELECT o.job_id, o.position, o.state AS output_state, o.attempts, NULL AS plan, NULL AS command, NULL AS intent, o.delivered,
       NULL AS proof, o.problem AS output_problem, NULL AS warnings, o.timings, o.updated_at
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_outputs o ON o.job_id = b.id
ORDER BY o.job_id, o.position;
