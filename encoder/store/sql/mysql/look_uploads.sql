-- Uploads for which it is time to ask the storage, shared out among all who look: each is asked for again after a while, the
-- later the older it is, 5 s to 5 min.
-- Index: uploads_to_look, upload_jobs_pk. Locks: the uploads, with SKIP LOCKED.
-- $1 limit
SELECT id FROM uploads FORCE INDEX (uploads_to_look)
WHERE look_at <= UTC_TIMESTAMP(6) ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED;
-- $1 uploads
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b STRAIGHT_JOIN uploads u ON u.id = UNHEX(b.id)
SET u.look_at = UTC_TIMESTAMP(6)
  + INTERVAL LEAST(GREATEST(TIMESTAMPDIFF(SECOND, u.created_at, UTC_TIMESTAMP(6)) DIV 10, 5), 300) SECOND;
-- $1 uploads
SELECT uploads.id, tenant_id, `key`, file_name, content_type, declared_bytes, state, size_bytes, job_id, created_at, expires_at,
       uploaded_at, protocol, offset_bytes, multipart, ended, problem, ended_at,
       EXISTS (SELECT 1 FROM upload_jobs j WHERE j.upload_id = uploads.id) AS planned, UTC_TIMESTAMP(6) AS read_at
FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b STRAIGHT_JOIN uploads ON uploads.id = UNHEX(b.id);
