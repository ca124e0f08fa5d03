-- Settle of a part: the task behind it waits for so many less; the last one opens it. Its queue comes back then. Where no
-- output is open any more, it ends.
-- Index: tasks_pk. Locks: the task behind; the job is locked already.
-- $1 task, $2 how many parts ended, $3 whether an output is open
WITH behind AS (
  UPDATE tasks SET
    state = CASE WHEN NOT $3::boolean THEN 'cancelled' WHEN pending <= $2::int THEN 'waiting' ELSE state END,
    pending = pending - $2::int, run_at = clock_timestamp(), finished_at = CASE WHEN NOT $3 THEN clock_timestamp() END
  WHERE id = $1 AND state = 'blocked' RETURNING queue, state
)
SELECT queue FROM behind WHERE state = 'waiting';
