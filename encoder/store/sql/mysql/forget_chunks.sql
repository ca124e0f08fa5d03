-- Retention, second half: these jobs have no chunks in the storage any more; not one that ran again and ended later.
-- Index: job_chunks_pk, jobs_pk. Locks: the jobs by ascending id, with SKIP LOCKED; then what it removes.
-- $1 jobs, $2 ended at or before this
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
WHERE j.state IN ('completed', 'failed', 'cancelled') AND j.finished_at <= $2 FOR UPDATE SKIP LOCKED;
-- $1 jobs
DELETE c FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_chunks c ON c.job_id = b.id;
