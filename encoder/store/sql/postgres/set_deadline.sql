-- Set the hard deadline of a claim, counted from now; no row when the claim is not held.
-- Index: task_leases_pk. Locks: the lease.
-- $1 task, $2 epoch, $3 deadline
UPDATE task_leases SET deadline_at = clock_timestamp() + $3::interval WHERE task_id = $1 AND epoch = $2 RETURNING task_id;
