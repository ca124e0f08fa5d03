-- Retention: uploads of which nothing more is to come, in the order in which they were announced, behind a place in it: they
-- were marked; or never arrived or ended, longer ago than $1; or arrived longer ago than $5, and no job is there that was
-- made of them last.
-- Index: uploads_by_age, jobs_pk. Locks: none.
-- $1 age, $2 limit, $3 and $4 behind this time and upload, $5 age of what arrived, or null where that stays
SELECT id, key, created_at AS at, state = 'uploaded' AS arrived, size_bytes FROM uploads
WHERE created_at < now() - $1::interval AND (created_at, id) > ($3::timestamptz, $4::uuid)
  AND (purging_at IS NOT NULL OR CASE WHEN state = 'uploaded'
    THEN uploaded_at < now() - $5::interval AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = uploads.job_id)
    ELSE greatest(expires_at, ended_at) < now() - $1 AND (ended IS NOT NULL OR held_until IS NULL OR held_until < now())
  END)
ORDER BY created_at, id LIMIT $2;
