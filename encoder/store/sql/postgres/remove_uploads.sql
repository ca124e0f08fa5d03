-- Retention: remove uploads, and the jobs that waited for them; of how many it did.
-- Index: uploads_pk, upload_jobs_pk. Locks: the rows.
-- $1 uploads
WITH plans AS (
  DELETE FROM upload_jobs WHERE upload_id = ANY ($1::uuid[])
), removed AS (
  DELETE FROM uploads WHERE id = ANY ($1) RETURNING id
)
SELECT count(*) AS removed FROM removed;
