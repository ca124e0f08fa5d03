-- Add a key of the API.
-- Index: none. Locks: none but the new row.
-- $1 tenant, $2 name, $3 prefix, $4 hash, $5 scopes, $6 how long it is good, null for ever
INSERT INTO api_keys (tenant_id, name, prefix, hash, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL $6 MICROSECOND);
