-- Watch tenants: a moment in time, and in the numbers of tasks; what is stirred behind it comes after now.
-- Index: tasks_pk, its last entry. Locks: none.
SELECT COALESCE(MAX(id), 0) AS task, UTC_TIMESTAMP(6) AS at FROM tasks;
