-- Replay, first half: the delivery is to be told again, under the same webhook-id.
-- Index: webhook_deliveries_pk. Locks: the delivery.
-- $1 tenant, $2 delivery
UPDATE webhook_deliveries d SET state = 'pending'
FROM jobs j
WHERE d.id = $2 AND d.tenant_id = $1 AND j.id = d.job_id AND j.deleted_at IS NULL
RETURNING d.job_id;
