-- Replay, first half: the delivery is to be told again, under the same webhook-id. Its job stays meanwhile.
-- Index: webhook_deliveries_pk, jobs_pk. Locks: the job, shared, then the delivery.
-- $1 tenant, $2 delivery
WITH job AS MATERIALIZED (
  SELECT j.id FROM webhook_deliveries d JOIN jobs j ON j.id = d.job_id
  WHERE d.id = $2 AND d.tenant_id = $1 AND j.deleted_at IS NULL FOR SHARE OF j
)
UPDATE webhook_deliveries d SET state = 'pending' FROM job WHERE d.id = $2 AND d.job_id = job.id RETURNING d.job_id;
