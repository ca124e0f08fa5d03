-- Give a webhook endpoint a new secret; the one before signs beside it for a while. No row comes back when it is not there.
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 tenant, $2 name, $3 uuid, $4 secret, $5 for how long
UPDATE webhook_endpoints SET
  old_secret = secret, old_secret_until = clock_timestamp() + $5::interval,
  secret = $4, secret_at = now(), updated_at = now()
WHERE tenant_id = $1 AND name = $2 AND uuid = $3
RETURNING id, uuid, tenant_id, receiver, enabled, secret_at,
       CASE WHEN old_secret_until > clock_timestamp() THEN old_secret_until END AS old_secret_until, created_at, updated_at;
