-- Retention: where the outputs of jobs stand, or were to stand.
-- Index: job_outputs_pk. Locks: none.
-- $1 jobs
SELECT job_id, position, delivered, intent FROM job_outputs WHERE job_id = ANY($1::bigint[]) ORDER BY job_id, position;
