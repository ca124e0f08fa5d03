-- Count the jobs that ended in a time by how: state, code of a failure, and how long they had waited for their first
-- start, as a number on a scale of eight steps to each doubling. The first $4 that ended then are looked at, `looked`, of
-- whatever tenant.
-- Index: jobs_ended. Reads: $4 jobs at most. Locks: none.
-- $1 tenant or null for all, $2 ended at or after, $3 ended before, $4 limit
WITH looked AS MATERIALIZED (
  SELECT tenant_id, state, CASE WHEN state = 'failed' THEN problem->>'code' END AS code,
    CASE WHEN run = 1 AND started_at IS NOT NULL THEN floor(
      8 * ln(greatest(extract(epoch FROM started_at - created_at), 0.001)::double precision) / ln(2::double precision)
    )::integer END AS step
  FROM jobs WHERE finished_at >= $2 AND finished_at < $3 ORDER BY finished_at, id LIMIT $4
)
SELECT state, code, step, count(*) FILTER (WHERE $1::bigint IS NULL OR tenant_id = $1) AS jobs, count(*) AS looked
FROM looked GROUP BY state, code, step;
