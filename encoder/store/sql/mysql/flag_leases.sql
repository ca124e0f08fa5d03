-- Cancel, second half: tell the workers that run tasks of the job, by their next beat. A statement of its own, so that
-- it sees a claim that won in between.
-- Index: tasks_name_once, task_leases_pk. Locks: the leases by ascending id; the job is locked already.
-- $1 job
SELECT l.task_id FROM tasks t STRAIGHT_JOIN task_leases l ON l.task_id = t.id
WHERE t.job_id = $1 AND t.kind <> 'notify' ORDER BY l.task_id;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN task_leases l ON l.task_id = b.id
SET l.cancel = true;
