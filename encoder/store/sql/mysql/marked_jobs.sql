-- Retention: jobs that were marked and are there still, in that order, behind a place in it.
-- Index: jobs_purging. Locks: none.
-- $1 limit, $2 and $3 behind this time and job, $4 marked for so long
SELECT id, uuid, purging_at AS at FROM jobs FORCE INDEX (jobs_purging)
WHERE purging_at <= UTC_TIMESTAMP(6) - INTERVAL $4 MICROSECOND AND purging_at >= $2 AND (purging_at > $2 OR id > $3)
ORDER BY purging_at, id LIMIT $1;
