-- Retention: jobs that were marked and are there still, in that order, behind a place in it.
-- Index: jobs_purging. Locks: none.
-- $1 limit, $2 and $3 behind this time and job, $4 marked for so long
SELECT id, uuid, purging_at AS at FROM jobs
WHERE purging_at <= now() - $4::interval AND (purging_at, id) > ($2::timestamptz, $3::bigint)
ORDER BY purging_at, id LIMIT $1;
