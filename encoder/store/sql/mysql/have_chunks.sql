-- Retention: of which of these jobs chunks lie in the storage, or may do so: also what a worker brought late that had lost
-- its lease.
-- Index: job_chunks_pk, tasks_name_once. Locks: none.
-- $1 jobs
SELECT b.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
WHERE EXISTS (SELECT 1 FROM job_chunks c WHERE c.job_id = b.id)
   OR EXISTS (SELECT 1 FROM tasks t FORCE INDEX (tasks_name_once) WHERE t.job_id = b.id AND t.then_id IS NOT NULL);
