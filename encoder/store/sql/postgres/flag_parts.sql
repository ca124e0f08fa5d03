-- Behind the settle of a part that failed for good, and by itself: tell the workers that run what nobody needs any more, by
-- their next beat. Inside that settle it met the beats of its own worker.
-- Index: task_leases_pk. Locks: the leases by ascending id.
-- $1 tasks
WITH mine AS MATERIALIZED (
  SELECT task_id FROM task_leases WHERE task_id = ANY($1::bigint[]) ORDER BY task_id FOR UPDATE
)
UPDATE task_leases l SET cancel = true FROM mine WHERE l.task_id = mine.task_id;
