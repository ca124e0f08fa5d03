-- Retention: jobs that may have chunks in the storage and need them no more, by id: completed, cancelled, or deleted. Those
-- of a failed job stay for its next run.
-- Index: job_chunks_pk, jobs_pk, tasks_name_once. Locks: none.
-- $1 limit, $2 behind this job
SELECT j.id, j.uuid, j.finished_at AS at FROM job_chunks c JOIN jobs j ON j.id = c.job_id
WHERE c.job_id > $2 AND (j.state IN ('completed', 'cancelled') OR (j.state = 'failed' AND j.deleted_at IS NOT NULL))
  AND NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = j.id AND t.kind <> 'notify' AND t.state NOT IN ('done', 'failed', 'cancelled'))
ORDER BY c.job_id LIMIT $1;
