-- Settle repeated: how the task stands, when the first answer was lost with the connection.
-- Index: tasks_pk, jobs_pk. Locks: none.
SELECT t.state, t.epoch, j.state AS job_state, j.run, j.created_at, j.finished_at FROM tasks t JOIN jobs j ON j.id = t.job_id WHERE t.id = $1;
