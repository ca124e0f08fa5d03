-- Revoke a key. A second time changes nothing.
-- Index: api_keys_pk. Locks: the key.
-- $1 id
UPDATE api_keys SET revoked_at = COALESCE(revoked_at, UTC_TIMESTAMP(6)) WHERE id = $1;
