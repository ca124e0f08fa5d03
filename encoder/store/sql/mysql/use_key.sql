-- Note that a key was used, unless that was noted within the last minute.
-- Index: api_keys_pk. Locks: the key, for a moment.
-- $1 id
UPDATE api_keys SET used_at = UTC_TIMESTAMP(6)
WHERE id = $1 AND (used_at IS NULL OR used_at <= UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE);
