-- A ready task gets its place in line.
-- Index: tasks_pk. Locks: none but the new row; the task is this transaction's already.
-- $1 task
INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
SELECT queue, nice * 1099511627776 + id, id, tenant_id, weight FROM tasks WHERE id = $1;
