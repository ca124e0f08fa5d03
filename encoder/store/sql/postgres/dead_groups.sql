-- Dead letters: the newest $2 failed jobs of a tenant by what went wrong, the most frequent first.
-- Index: jobs_by_state, from its newest on. Reads: $2 jobs at most, however many failed. Locks: none.
-- $1 tenant, $2 how many are looked at, $3 failed at or after, $4 failed before; the last two may be null
WITH looked AS MATERIALIZED (
  SELECT problem, finished_at FROM jobs
  WHERE state = 'failed' AND tenant_id = $1 AND deleted_at IS NULL ORDER BY -id LIMIT $2
)
SELECT problem->>'code' AS code, problem->>'class' AS kind, count(*) AS jobs,
       min(finished_at) AS first_at, max(finished_at) AS last_at
FROM looked WHERE problem IS NOT NULL
  AND ($3::timestamptz IS NULL OR finished_at >= $3) AND ($4::timestamptz IS NULL OR finished_at < $4)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;
