-- Lock a job for a rescue, which never waits: no row when somebody else is at it.
-- Index: jobs_pk. Locks: the job's row, with SKIP LOCKED.
-- $1 job
SELECT id, uuid, tenant_id, state, run, cancel_requested, event_seq, spec, secrets_erased_at, deleted_at
FROM jobs WHERE id = $1 FOR UPDATE SKIP LOCKED;
