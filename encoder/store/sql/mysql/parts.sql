-- What parts of a job have made, in this run and in those before it, in their order.
-- Index: tasks_name_once, only the names of runs and their parts (`t1`, `t1/c0007`). Locks: none.
-- $1 job
SELECT name, args, result FROM tasks FORCE INDEX (tasks_name_once)
WHERE job_id = $1 AND name >= 't' AND name < 'u' AND then_id IS NOT NULL AND state = 'done' ORDER BY id;
