-- Revoke a key. A second time changes nothing.
-- Index: api_keys_pk. Locks: the key.
-- $1 id
UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1 RETURNING id;
