-- Delete: gone from every read at once.
-- Index: jobs_pk. Locks: the job's row.
UPDATE jobs SET deleted_at = coalesce(deleted_at, clock_timestamp()) WHERE id = $1;
