-- Hold a webhook endpoint, so that it stays, and nobody else tests it, until the commit.
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 tenant, $2 name
SELECT id, uuid, tenant_id, receiver, enabled, secret_at,
       CASE WHEN old_secret_until > clock_timestamp() THEN old_secret_until END AS old_secret_until, created_at, updated_at
FROM webhook_endpoints WHERE tenant_id = $1 AND name = $2 FOR UPDATE;
