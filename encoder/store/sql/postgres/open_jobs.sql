-- Count the jobs of a tenant that have not ended, each state to a limit.
-- Index: jobs_by_state. Reads: $2 jobs of each state at most. Locks: none.
-- $1 tenant, $2 limit
SELECT sum(found.jobs)::bigint AS jobs
FROM unnest('{queued,processing}'::text[]) AS wanted(state) CROSS JOIN LATERAL (
  SELECT count(*) AS jobs FROM (
    SELECT FROM jobs
    WHERE state = wanted.state AND tenant_id = $1 AND deleted_at IS NULL ORDER BY -id LIMIT $2) AS counted
) AS found;
