-- Give a webhook endpoint a new secret; the one before signs beside it for a while. SET goes from left to right here.
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 tenant, $2 name, $3 uuid, $4 secret, $5 for how long
UPDATE webhook_endpoints SET
  old_secret = secret, old_secret_until = UTC_TIMESTAMP(6) + INTERVAL $5 MICROSECOND,
  secret = $4, secret_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)
WHERE tenant_id = $1 AND name = $2 AND uuid = $3;
