-- Remove a webhook endpoint, and its tests but for those that still wait for something; its number, or no row. What waits for
-- it is told to nobody (delivery.sql).
-- Index: webhook_endpoints_once, webhook_deliveries_once, tasks_name_once. Locks: the endpoint; what it removes.
-- $1 tenant, $2 name
WITH endpoint AS (
  DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND name = $2 RETURNING id
), test AS (
  DELETE FROM webhook_deliveries d USING endpoint WHERE d.job_id = -endpoint.id AND d.state <> 'pending'
  RETURNING d.id, d.job_id
), done AS (
  DELETE FROM tasks t USING test
  WHERE t.job_id = test.job_id AND (t.name = 'n/' || test.id OR t.name LIKE 'n/' || test.id || '/%')
  AND t.state IN ('done', 'failed', 'cancelled')
)
SELECT id FROM endpoint;
