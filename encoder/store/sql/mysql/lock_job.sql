-- Lock a job: the first statement of every transaction that changes more than one row of it. What comes after sees all
-- that was committed before.
-- Index: jobs_pk. Locks: the job's row.
-- $1 job
SELECT id, uuid, tenant_id, state, run, cancel_requested, event_seq, spec, secrets_erased_at, deleted_at
FROM jobs WHERE id = $1 FOR UPDATE;
