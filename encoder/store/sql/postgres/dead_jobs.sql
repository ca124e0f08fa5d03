-- Redrive: a look at the next failed jobs of a tenant, by id from the oldest on, and which of them were meant.
-- Index: jobs_by_state, backwards. Reads: $3 jobs at most, whatever matches. Locks: none.
-- $1 tenant, $2 above this id, $3 how many are looked at, $4 code, $5 class, $6 failed at or after, $7 failed before;
-- the last four may be null
WITH looked AS MATERIALIZED (
  SELECT id, problem, finished_at, secrets_erased_at FROM jobs
  WHERE state = 'failed' AND tenant_id = $1 AND deleted_at IS NULL AND -id < -$2::bigint ORDER BY -id DESC LIMIT $3
)
SELECT id, secrets_erased_at IS NOT NULL AS erased,
       ($4::text IS NULL OR coalesce(problem->>'code' = $4, false))
       AND ($5::text IS NULL OR coalesce(problem->>'class' = $5, false))
       AND ($6::timestamptz IS NULL OR finished_at >= $6)
       AND ($7::timestamptz IS NULL OR finished_at < $7) AS chosen
FROM looked ORDER BY id;
