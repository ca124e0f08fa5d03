-- Lock a job for a rescue, which never waits: no row when somebody else is at it.
-- With it comes who is told of the tenant's jobs, each as JSON.
-- Index: jobs_pk, webhook_endpoints_once. Locks: the job's row, with SKIP LOCKED.
SELECT id, uuid, tenant_id, created_at, state, run, cancel_requested, event_seq, spec, secrets_erased_at, deleted_at,
  purging_at, (
  SELECT json_agg(receiver::text ORDER BY name) FROM webhook_endpoints e WHERE e.tenant_id = jobs.tenant_id AND enabled
) AS receivers
FROM jobs WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED;
