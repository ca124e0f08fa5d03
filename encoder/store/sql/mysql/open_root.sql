-- Retry: the root task of a new run, with the args of the first. No ended task is opened again: epochs and paths never
-- repeat.
-- Index: jobs_pk, tasks_name_once. Locks: none but the new rows; the job is locked already.
-- $1 job, $2 name, $3 nice, $4 attempts, $5 queue
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, state, run_at, max_attempts, args, created_at)
SELECT id, tenant_id, $2, 'transcode', $5, $3, 'waiting', UTC_TIMESTAMP(6), $4,
       COALESCE((SELECT args FROM tasks t WHERE t.job_id = $1 AND t.name = 't1'), '{}'), UTC_TIMESTAMP(6)
FROM jobs WHERE id = $1;
