-- Replay, first half: the delivery is to be told again, under the same webhook-id. Its job stays meanwhile; a test has none.
-- Index: webhook_deliveries_pk, jobs_pk. Locks: the job, shared, then the delivery.
-- $1 tenant, $2 delivery
WITH found AS MATERIALIZED (
  SELECT job_id FROM webhook_deliveries WHERE id = $2 AND tenant_id = $1
), job AS MATERIALIZED (
  SELECT j.id FROM found JOIN jobs j ON j.id = found.job_id WHERE j.deleted_at IS NULL FOR SHARE OF j
)
UPDATE webhook_deliveries d SET state = 'pending'
FROM (SELECT id FROM job UNION ALL SELECT job_id FROM found WHERE job_id < 0) AS kept
WHERE d.id = $2 AND d.job_id = kept.id RETURNING d.job_id;
