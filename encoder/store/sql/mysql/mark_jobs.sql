-- Retention: mark jobs whose time is over, unless one of them has a live task after all, or ran again and ended later; what is
-- deleted or marked goes whenever it ended. Nobody can run them again from then on, and nothing of them is handed out.
-- Index: jobs_pk, tasks_name_once. Locks: the jobs by ascending id, with SKIP LOCKED.
-- $1 jobs, $2 ended at or before this, or null
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
WHERE j.state IN ('completed', 'failed', 'cancelled')
  AND ($2 IS NULL OR j.finished_at <= $2 OR j.deleted_at IS NOT NULL OR j.purging_at IS NOT NULL) FOR UPDATE SKIP LOCKED;
-- $1 jobs
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id
SET j.purging_at = COALESCE(j.purging_at, UTC_TIMESTAMP(6));
