-- Add an upload: somebody is invited to bring a file.
-- Index: uploads_pk. Locks: none but the new row.
-- $1 id, $2 tenant, $3 key, $4 file name, $5 content type, $6 size or null, $7 how long the invitation is good, $8 protocol,
-- $9 how long until the storage is asked for it
INSERT INTO uploads (id, tenant_id, `key`, file_name, content_type, declared_bytes, state, created_at, expires_at, protocol,
                     look_at)
VALUES ($1, $2, $3, $4, $5, $6, 'pending', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL $7 MICROSECOND, $8,
        UTC_TIMESTAMP(6) + INTERVAL $9 MICROSECOND);
