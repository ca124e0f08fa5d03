-- Put a webhook endpoint: a new one, or another address, wish and form for one that is there, whose secrets stay. Nothing is
-- written where one of that name is there under another uuid, for which nothing of this is sealed.
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 uuid, $2 tenant, $3 name, $4 receiver, $5 enabled, $6 sealed address, $7 secret
INSERT INTO webhook_endpoints (
  uuid, tenant_id, name, receiver, enabled, sealed_url, secret, secret_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE
  receiver = CASE WHEN uuid = $1 THEN $4 ELSE receiver END,
  enabled = CASE WHEN uuid = $1 THEN $5 ELSE enabled END,
  sealed_url = CASE WHEN uuid = $1 THEN $6 ELSE sealed_url END,
  updated_at = CASE WHEN uuid = $1 THEN UTC_TIMESTAMP(6) ELSE updated_at END;
