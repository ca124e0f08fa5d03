-- Test a webhook endpoint: a delivery of no job with its notify task. The next number of its tests: read, then used.
-- Index: webhook_deliveries_once. Locks: none but the new rows; the endpoint is held already.
-- $1 minus the endpoint, $2 tenant, $3 receiver, $4 number, $5 type, $6 webhook id, $7 url, $8 body, $9 attempts
WITH delivery AS (
  INSERT INTO webhook_deliveries (
    job_id, tenant_id, receiver, event_seq, event_type, webhook_id, url, body, state, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', now())
  RETURNING id, job_id, tenant_id, created_at
)
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT job_id, tenant_id, 'n/' || id, 'notify', 'io', 'waiting', created_at, $9, json_build_object('delivery', id), created_at
FROM delivery RETURNING (args->>'delivery')::bigint AS id;
