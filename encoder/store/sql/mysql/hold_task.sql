-- Mark, the fence: the lease is ours and stays ours until the commit.
-- Index: task_leases_pk. Locks: the own lease; the job is locked already.
-- $1 task, $2 epoch
SELECT 1 FROM task_leases WHERE task_id = $1 AND epoch = $2 FOR UPDATE;
