-- Settle of a part: the task behind it waits for one less; the last one opens it. Its queue comes back then.
-- Index: tasks_pk. Locks: the task behind; the job is locked already.
-- $1 task
WITH behind AS (
  UPDATE tasks SET state = CASE WHEN pending = 1 THEN 'waiting' ELSE state END, pending = pending - 1,
                   run_at = clock_timestamp()
  WHERE id = $1 AND state = 'blocked' RETURNING queue, state
)
SELECT queue FROM behind WHERE state = 'waiting';
