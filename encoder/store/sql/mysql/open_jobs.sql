-- Count the jobs of a tenant that have not ended, each state to a limit.
-- Index: jobs_by_state. Reads: $2 jobs of each state that were not deleted. Locks: none.
-- $1 tenant, $2 limit
SELECT (
  SELECT COUNT(*) FROM (
    SELECT 1 FROM jobs FORCE INDEX (jobs_by_state)
    WHERE state = 'queued' AND tenant_id = $1 AND deleted_at IS NULL LIMIT $2) AS waiting
) + (
  SELECT COUNT(*) FROM (
    SELECT 1 FROM jobs FORCE INDEX (jobs_by_state)
    WHERE state = 'processing' AND tenant_id = $1 AND deleted_at IS NULL LIMIT $2) AS running
) AS jobs;
