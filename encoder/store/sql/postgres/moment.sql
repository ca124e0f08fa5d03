-- Watch tenants: a moment in time, and in the numbers of tasks; what is stirred behind it comes after now.
-- Index: none. Locks: none.
SELECT last_value AS task, clock_timestamp() AS at FROM tasks_id_seq;
