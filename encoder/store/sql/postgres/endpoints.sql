-- List a tenant's webhook endpoints by name, without what is sealed of them; or the one of a name.
-- Index: webhook_endpoints_once. Locks: none.
-- $1 tenant, $2 name or null
SELECT id, uuid, tenant_id, receiver, enabled, secret_at,
       CASE WHEN old_secret_until > clock_timestamp() THEN old_secret_until END AS old_secret_until, created_at, updated_at
FROM webhook_endpoints WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2) ORDER BY name;
