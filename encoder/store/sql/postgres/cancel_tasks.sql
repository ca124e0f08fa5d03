-- Cancel, first half: end what does not run. A claim that is being committed is waited for, and then left alone.
-- Index: tasks_name_once. Locks: the job's open tasks by ascending id; the job is locked already. Their rows in
-- task_ready stay as tombstones: to lock them now would be against the order of locks.
-- $1 job
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks
  WHERE job_id = $1 AND kind <> 'notify' AND state IN ('blocked', 'scheduled', 'waiting', 'ready')
  ORDER BY id FOR UPDATE
)
UPDATE tasks t SET state = 'cancelled', finished_at = clock_timestamp() FROM mine WHERE t.id = mine.id;
