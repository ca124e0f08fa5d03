-- Set the hard deadline of a claim, counted from now.
-- Index: task_leases_pk. Locks: the lease.
-- $1 task, $2 epoch, $3 deadline
UPDATE task_leases SET deadline_at = UTC_TIMESTAMP(6) + INTERVAL $3 MICROSECOND WHERE task_id = $1 AND epoch = $2;
