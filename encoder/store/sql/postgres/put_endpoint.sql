-- Put a webhook endpoint: a new one, or another address, wish and form for one that is there, whose secrets stay. No row comes
-- back where one of that name is there under another uuid, for which nothing of this is sealed.
-- Index: webhook_endpoints_once. Locks: the endpoint.
-- $1 uuid, $2 tenant, $3 name, $4 receiver, $5 enabled, $6 sealed address, $7 secret
INSERT INTO webhook_endpoints AS e (
  uuid, tenant_id, name, receiver, enabled, sealed_url, secret, secret_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now(), now(), now())
ON CONFLICT ON CONSTRAINT webhook_endpoints_once DO UPDATE SET
  receiver = excluded.receiver, enabled = excluded.enabled, sealed_url = excluded.sealed_url, updated_at = now()
WHERE e.uuid = excluded.uuid
RETURNING id, uuid, tenant_id, receiver, enabled, secret_at,
       CASE WHEN old_secret_until > clock_timestamp() THEN old_secret_until END AS old_secret_until, created_at, updated_at;
