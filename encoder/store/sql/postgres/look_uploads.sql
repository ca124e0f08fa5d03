-- Uploads for which it is time to ask the storage, shared out among all who look: each is asked for again after a while, the
-- later the older it is, 5 s to 5 min.
-- Index: uploads_to_look, upload_jobs_pk. Locks: the uploads, with SKIP LOCKED.
-- Each is asked for its job by itself: of many rows, an EXISTS would have the whole table read.
-- $1 limit
WITH mine AS MATERIALIZED (
  SELECT id FROM uploads WHERE look_at <= now() ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE uploads SET look_at = now() + least(greatest((now() - created_at) / 10, interval '5 s'), interval '5 min')
FROM mine WHERE uploads.id = mine.id
RETURNING uploads.id, tenant_id, key, file_name, content_type, declared_bytes, state, size_bytes, job_id, created_at, expires_at,
          uploaded_at, protocol, offset_bytes, multipart, ended, problem, ended_at,
          coalesce((SELECT true FROM upload_jobs j WHERE j.upload_id = uploads.id), false) AS planned, now() AS read_at;
