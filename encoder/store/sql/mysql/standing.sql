-- The time, and the outputs of a job as they stand; one row without a position where there is none.
-- Index: job_outputs_pk. Locks: none; the job is locked already.
-- $1 job
SELECT UTC_TIMESTAMP(6) AS at, o.position, o.state, o.delivered, o.problem
FROM (SELECT 1 AS one) AS always LEFT JOIN job_outputs o ON o.job_id = $1 ORDER BY o.position;
