-- An upload has arrived; the first time counts.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 size
UPDATE uploads
SET state = 'uploaded', size_bytes = COALESCE(size_bytes, $2), uploaded_at = COALESCE(uploaded_at, UTC_TIMESTAMP(6))
WHERE id = $1;
