-- Retention: mark uploads of which nothing more is to come, unless a job was made of one meanwhile: nobody finds them from
-- then on.
-- Index: uploads_pk, jobs_pk. Locks: the uploads, with SKIP LOCKED.
-- $1 uploads
WITH mine AS MATERIALIZED (
  SELECT id FROM uploads WHERE id = ANY($1::uuid[])
    AND (held_until IS NULL OR held_until < now()) AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = uploads.job_id)
  ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE uploads SET purging_at = coalesce(purging_at, now()), look_at = NULL FROM mine WHERE uploads.id = mine.id
RETURNING uploads.id;
