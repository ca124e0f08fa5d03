-- Count jobs by state, each to 10,000.
-- Index: jobs_by_state. Locks: none.
-- $1 tenant or null, $2 states
SELECT wanted.state, (
  SELECT count(*) FROM (
    SELECT FROM jobs WHERE state = wanted.state AND ($1::bigint IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000
  ) AS counted) AS jobs
FROM unnest($2::text[]) AS wanted(state);
