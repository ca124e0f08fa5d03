-- Replay, first half: the delivery is to be told again, under the same webhook-id.
-- Its job stays meanwhile.
-- Index: webhook_deliveries_pk, jobs_pk. Locks: the job, shared, then the delivery.
-- $1 tenant, $2 delivery
SELECT job_id FROM webhook_deliveries WHERE id = $2 AND tenant_id = $1;
-- $1 job
SELECT 1 FROM jobs WHERE id = $1 AND deleted_at IS NULL LOCK IN SHARE MODE;
-- $1 delivery
UPDATE webhook_deliveries SET state = 'pending' WHERE id = $1;
