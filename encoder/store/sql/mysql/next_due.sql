-- When the nearest scheduled task is due, in seconds from now.
-- Index: tasks_due. Locks: none.
SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), MIN(run_at)) / 1000000 AS seconds FROM tasks WHERE state = 'scheduled';
