-- Retention: uploads of which nothing more is to come, in the order in which they were announced, behind a place in it: they
-- were marked; or never arrived or ended, longer ago than $1; or arrived longer ago than $5, and no job is there that was
-- made of them last.
-- Index: uploads_by_age, jobs_pk. Locks: none.
-- $1 age, $2 limit, $3 and $4 behind this time and upload, $5 age of what arrived, or null where that stays
SELECT id, `key`, created_at AS at, state = 'uploaded' AS arrived, size_bytes FROM uploads FORCE INDEX (uploads_by_age)
WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND AND created_at >= $3 AND (created_at > $3 OR id > $4)
  AND (purging_at IS NOT NULL OR CASE WHEN state = 'uploaded'
    THEN uploaded_at < UTC_TIMESTAMP(6) - INTERVAL $5 MICROSECOND
      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = uploads.job_id)
    ELSE GREATEST(expires_at, COALESCE(ended_at, expires_at)) < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
      AND (ended IS NOT NULL OR held_until IS NULL OR held_until < UTC_TIMESTAMP(6))
  END)
ORDER BY created_at, id LIMIT $2;
