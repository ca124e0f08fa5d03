-- Retention, first half: lock the jobs that are to go. Whatever may give one of them a task again waits, or is waited
-- for by nobody: then its job is passed over.
-- Index: jobs_pk. Locks: the jobs by ascending id, with SKIP LOCKED.
-- $1 jobs
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
WHERE j.state IN ('completed', 'failed', 'cancelled') FOR UPDATE SKIP LOCKED;
