-- Retention: of which of these jobs chunks lie in the storage, or may do so: also what a worker brought late that had lost
-- its lease.
-- Index: job_chunks_pk, tasks_name_once. Locks: none.
-- $1 jobs
SELECT id FROM unnest($1::bigint[]) AS job(id)
WHERE EXISTS (SELECT FROM job_chunks c WHERE c.job_id = job.id)
   OR EXISTS (SELECT FROM tasks t WHERE t.job_id = job.id AND t.then_id IS NOT NULL);
