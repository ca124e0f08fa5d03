-- Whether the time of a job is over, so that nothing of it is handed out.
-- Index: jobs_uuid_once. Locks: none.
-- $1 uuid
SELECT EXISTS (SELECT FROM jobs WHERE uuid = $1 AND purging_at IS NOT NULL) AS purging;
