-- The outputs of one job as decisions and receivers need them; under the job's lock nobody else changes them.
-- Index: job_outputs_pk. Locks: none.
SELECT position, state, delivered, problem FROM job_outputs WHERE job_id = $1 ORDER BY position;
