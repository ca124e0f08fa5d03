-- Retention, first half: lock the jobs that are to go. Whatever may give one of them a task again waits, or is waited
-- for by nobody: then its job is passed over.
-- Index: jobs_pk. Locks: the jobs by ascending id, with SKIP LOCKED.
-- $1 jobs
SELECT id FROM jobs WHERE id = ANY($1::bigint[]) AND state IN ('completed', 'failed', 'cancelled')
ORDER BY id FOR UPDATE SKIP LOCKED;
