-- Note how much of an upload lies in the storage for good. Its invitation is put off, and who writes may go on.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 holder, $3 offset, $4 S3's name for what is open, or null, $5 for how long, $6 how long the invitation is good
UPDATE uploads
SET offset_bytes = $3, multipart = $4, held_until = UTC_TIMESTAMP(6) + INTERVAL $5 MICROSECOND,
    expires_at = GREATEST(expires_at, UTC_TIMESTAMP(6) + INTERVAL $6 MICROSECOND)
WHERE id = $1 AND holder = $2 AND state = 'pending' AND ended IS NULL;
