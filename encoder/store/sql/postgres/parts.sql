-- What the parts of a task have made, in their order.
-- Index: tasks_then. Locks: none.
-- $1 the task behind
SELECT name, args, result FROM tasks WHERE then_id = $1 ORDER BY id;
