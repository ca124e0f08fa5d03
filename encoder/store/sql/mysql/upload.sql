-- Read an upload.
-- Index: uploads_pk, upload_jobs_pk. Locks: none.
-- $1 id, $2 tenant or null for any
SELECT id, tenant_id, `key`, file_name, content_type, declared_bytes, state, size_bytes, job_id, created_at, expires_at,
       uploaded_at, protocol, offset_bytes, multipart, ended, problem, ended_at,
       EXISTS (SELECT 1 FROM upload_jobs j WHERE j.upload_id = uploads.id) AS planned, UTC_TIMESTAMP(6) AS read_at
FROM uploads WHERE id = $1 AND purging_at IS NULL AND ($2 IS NULL OR tenant_id = $2);
