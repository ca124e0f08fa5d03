-- Settle of a part: the task behind it waits for one less; the last one opens it. Its queue comes back then.
-- SET goes from left to right here: what asks for `pending` stands before it.
-- Index: tasks_pk. Locks: the task behind; the job is locked already.
-- $1 task
UPDATE tasks SET state = CASE WHEN pending = 1 THEN 'waiting' ELSE state END, pending = pending - 1, run_at = UTC_TIMESTAMP(6)
WHERE id = $1 AND state = 'blocked';
SELECT queue FROM tasks WHERE id = $1 AND state = 'waiting';
