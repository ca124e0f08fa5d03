-- Retention: uploads of which nothing has become, or nothing is left, for so long: they never arrived, ended, were never used,
-- or the job that used them last ended or is gone; in the order in which they were announced, behind a place in it.
-- Index: uploads_by_age, jobs_pk, upload_jobs_pk. Locks: none.
-- $1 age, $2 limit, $3 and $4 behind this time and upload
SELECT id, `key`, created_at AS at FROM uploads FORCE INDEX (uploads_by_age)
WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND AND created_at >= $3 AND (created_at > $3 OR id > $4)
  AND GREATEST(expires_at, COALESCE(uploaded_at, expires_at), COALESCE(ended_at, expires_at))
    < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
  AND (ended IS NOT NULL OR state = 'uploaded' OR held_until IS NULL OR held_until < UTC_TIMESTAMP(6))
  AND NOT EXISTS (
    SELECT 1 FROM jobs j WHERE j.id = uploads.job_id
      AND (j.finished_at IS NULL OR j.finished_at >= UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND))
ORDER BY created_at, id LIMIT $2;
