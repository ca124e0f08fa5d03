-- Read a key, whether or not it is still good.
-- Index: api_keys_hash_once. Locks: none.
-- $1 hash
SELECT id, tenant_id, name, prefix, scopes, created_at, expires_at, used_at, revoked_at,
       (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())) AS live
FROM api_keys WHERE hash = $1;
