-- Delete: gone from every read at once.
-- Index: jobs_pk. Locks: the job's row.
-- $1 job
UPDATE jobs SET deleted_at = COALESCE(deleted_at, UTC_TIMESTAMP(6)) WHERE id = $1;
