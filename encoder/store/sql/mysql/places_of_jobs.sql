-- Retention: where the outputs of jobs stand, or were to stand.
-- Index: job_outputs_pk. Locks: none.
-- $1 jobs
SELECT o.job_id, o.position, o.delivered, o.intent
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_outputs o ON o.job_id = b.id
ORDER BY o.job_id, o.position;
