-- Retention: uploads of which nothing has become, or nothing is left, for so long: they never arrived, ended, were never used,
-- or the job that used them last ended or is gone; in the order in which they were announced, behind a place in it.
-- Index: uploads_by_age, jobs_pk, upload_jobs_pk. Locks: none.
-- $1 age, $2 limit, $3 and $4 behind this time and upload
SELECT id, key, created_at AS at FROM uploads
WHERE created_at < now() - $1::interval AND (created_at, id) > ($3::timestamptz, $4::uuid)
  AND greatest(expires_at, uploaded_at, ended_at) < now() - $1
  AND (ended IS NOT NULL OR state = 'uploaded' OR held_until IS NULL OR held_until < now())
  AND NOT EXISTS (
    SELECT FROM jobs j WHERE j.id = uploads.job_id AND (j.finished_at IS NULL OR j.finished_at >= now() - $1))
ORDER BY created_at, id LIMIT $2;
