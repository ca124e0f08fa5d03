-- Lock a job: the first statement of every transaction that changes more than one row of it. What comes after sees all
-- that was committed before.
-- With it comes who is told of the tenant's jobs, each as JSON.
-- Index: jobs_pk, webhook_endpoints_once. Locks: the job's row.
-- $1 job
SELECT id, uuid, tenant_id, created_at, state, run, cancel_requested, event_seq, spec, secrets_erased_at, deleted_at,
  purging_at, (
  SELECT JSON_ARRAYAGG(receiver) FROM webhook_endpoints e WHERE e.tenant_id = jobs.tenant_id AND enabled
) AS receivers
FROM jobs WHERE id = $1 FOR UPDATE;
