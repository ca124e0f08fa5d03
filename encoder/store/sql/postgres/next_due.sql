-- When the nearest scheduled task is due, in seconds from now.
-- Index: tasks_due. Locks: none.
SELECT extract(epoch FROM min(run_at) - clock_timestamp())::double precision AS seconds FROM tasks WHERE state = 'scheduled';
