-- Retention: of the uploads that were announced first, behind a place in that order, those of which nothing more is to come:
-- they were marked; or never arrived or ended, longer ago than $1; or arrived longer ago than $5, and no job is there that was
-- made of them last. And the last one that was looked at, so that whoever asks goes on behind it.
-- Index: uploads_by_age, jobs_pk. Reads: $2 uploads at most. Locks: none.
-- $1 age, $2 how many, $3 and $4 behind this time and upload, $5 age of what arrived, or null where that stays
WITH looked AS (
  SELECT id, `key`, created_at, state, size_bytes, purging_at, uploaded_at, job_id, expires_at, ended, ended_at, held_until
  FROM uploads FORCE INDEX (uploads_by_age)
  WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND AND created_at >= $3 AND (created_at > $3 OR id > $4)
  ORDER BY created_at, id LIMIT $2
), judged AS (
  SELECT id, `key`, created_at, state, size_bytes, (purging_at IS NOT NULL OR CASE WHEN state = 'uploaded'
    THEN uploaded_at < UTC_TIMESTAMP(6) - INTERVAL $5 MICROSECOND
      AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = looked.job_id)
    ELSE GREATEST(expires_at, COALESCE(ended_at, expires_at)) < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
      AND (ended IS NOT NULL OR held_until IS NULL OR held_until < UTC_TIMESTAMP(6))
  END) IS TRUE AS spent FROM looked
)
SELECT id, `key`, created_at AS at, state = 'uploaded' AS arrived, size_bytes, spent FROM judged
WHERE spent OR id = (SELECT id FROM looked ORDER BY created_at DESC, id DESC LIMIT 1)
ORDER BY created_at, id;
