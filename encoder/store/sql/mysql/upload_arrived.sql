-- An upload has arrived; the first time counts, and one that has ended stays so.
-- Index: uploads_pk, upload_jobs_pk. Locks: its row.
-- $1 id, $2 size, $3 how long until a job that waits for it is tried again
UPDATE uploads
SET state = 'uploaded', size_bytes = COALESCE(size_bytes, $2), uploaded_at = COALESCE(uploaded_at, UTC_TIMESTAMP(6)),
    offset_bytes = COALESCE(size_bytes, $2), holder = NULL, held_until = NULL,
    look_at = CASE WHEN EXISTS (SELECT 1 FROM upload_jobs j WHERE j.upload_id = uploads.id)
      THEN UTC_TIMESTAMP(6) + INTERVAL $3 MICROSECOND END
WHERE id = $1 AND ended IS NULL;
