-- Put secrets of a job under another key, unless they were erased or wrapped anew meanwhile.
-- Index: jobs_uuid_once. Locks: the job.
-- $1 uuid, $2 as they were, $3 as they are
UPDATE jobs SET sealed = $3 WHERE uuid = $1 AND sealed = $2;
