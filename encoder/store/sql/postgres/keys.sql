-- All keys, the oldest first; operators make few.
-- Index: api_keys_pk, all of it. Locks: none.
SELECT id, tenant_id, name, prefix, scopes, created_at, expires_at, used_at, revoked_at,
       (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())) AS live
FROM api_keys ORDER BY id;
