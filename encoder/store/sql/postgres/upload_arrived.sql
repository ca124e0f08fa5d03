-- An upload has arrived; the first time counts, and one that has ended stays so.
-- Index: uploads_pk, upload_jobs_pk. Locks: its row.
-- $1 id, $2 size, $3 how long until a job that waits for it is tried again
UPDATE uploads
SET state = 'uploaded', size_bytes = coalesce(size_bytes, $2::bigint), uploaded_at = coalesce(uploaded_at, now()),
    offset_bytes = coalesce(size_bytes, $2), holder = NULL, held_until = NULL,
    look_at = CASE WHEN EXISTS (SELECT FROM upload_jobs j WHERE j.upload_id = uploads.id) THEN now() + $3::interval END
WHERE id = $1 AND ended IS NULL;
