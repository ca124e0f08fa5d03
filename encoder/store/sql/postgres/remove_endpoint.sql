-- Remove a webhook endpoint; its number, or no row. What waits for it is told to nobody (delivery.sql).
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 tenant, $2 name
DELETE FROM webhook_endpoints WHERE tenant_id = $1 AND name = $2 RETURNING id;
