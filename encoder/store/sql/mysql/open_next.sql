-- Settle of a part: the task behind it waits for so many less; the last one opens it. Its queue comes back then. Where no
-- output is open any more, it ends.
-- SET goes from left to right here: what asks for `pending` stands before it.
-- Index: tasks_pk. Locks: the task behind; the job is locked already.
-- $1 task, $2 how many parts ended, $3 whether an output is open
UPDATE tasks SET
  state = CASE WHEN NOT $3 THEN 'cancelled' WHEN pending <= $2 THEN 'waiting' ELSE state END,
  pending = pending - $2, run_at = UTC_TIMESTAMP(6), finished_at = CASE WHEN NOT $3 THEN UTC_TIMESTAMP(6) END
WHERE id = $1 AND state = 'blocked';
SELECT queue FROM tasks WHERE id = $1 AND state = 'waiting';
