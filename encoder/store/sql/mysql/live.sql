-- Settle of a part: whether a task of the job is still to end; notify tasks do not count.
-- Index: tasks_name_once. Locks: none; the job is locked already.
-- $1 job
SELECT 1 FROM tasks WHERE job_id = $1 AND kind <> 'notify' AND state NOT IN ('done', 'failed', 'cancelled') LIMIT 1;
