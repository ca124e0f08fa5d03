-- Remove a webhook endpoint, and its tests but for those that still wait for something. What waits for it is told to nobody
-- (delivery.sql).
-- Index: webhook_endpoints_once, webhook_deliveries_once, tasks_name_once. Locks: the endpoint; what it removes.
-- $1 tenant, $2 name
SELECT id FROM webhook_endpoints WHERE tenant_id = $1 AND name = $2 FOR UPDATE;
-- $1 minus the endpoint
DELETE t FROM webhook_deliveries d STRAIGHT_JOIN tasks t
ON t.job_id = d.job_id AND (t.name = CONCAT('n/', d.id) OR t.name LIKE CONCAT('n/', d.id, '/%'))
WHERE d.job_id = $1 AND d.state <> 'pending' AND t.state IN ('done', 'failed', 'cancelled');
-- $1 minus the endpoint
DELETE FROM webhook_deliveries WHERE job_id = $1 AND state <> 'pending';
-- $1 tenant, $2 name
DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND name = $2;
