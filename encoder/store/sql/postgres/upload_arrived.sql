-- An upload has arrived; the first time counts.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 size
UPDATE uploads
SET state = 'uploaded', size_bytes = coalesce(size_bytes, $2::bigint), uploaded_at = coalesce(uploaded_at, now())
WHERE id = $1
RETURNING id, tenant_id, key, file_name, content_type, declared_bytes, state, size_bytes, job_id, created_at, expires_at,
          uploaded_at;
