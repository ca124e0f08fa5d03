-- Behind the settle of a part that failed for good, and by itself: tell the workers that run what nobody needs any more, by
-- their next beat. Inside that settle it met the beats of its own worker.
-- Index: task_leases_pk. Locks: the leases by ascending id.
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN task_leases l ON l.task_id = b.id
SET l.cancel = true;
