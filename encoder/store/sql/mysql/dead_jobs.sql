-- Redrive: a look at the next failed jobs of a tenant, by id from the oldest on, and which of them were meant.
-- Index: jobs_by_state. Reads: $3 jobs that were not deleted, whatever matches. Locks: none.
-- $1 tenant, $2 above this id, $3 how many are looked at, $4 code, $5 class, $6 failed at or after, $7 failed before;
-- the last four may be null
SELECT id, secrets_erased_at IS NOT NULL AS erased,
       ($4 IS NULL OR COALESCE(JSON_UNQUOTE(JSON_EXTRACT(problem, '$.code')) = $4, FALSE))
       AND ($5 IS NULL OR COALESCE(JSON_UNQUOTE(JSON_EXTRACT(problem, '$.class')) = $5, FALSE))
       AND ($6 IS NULL OR finished_at >= $6)
       AND ($7 IS NULL OR finished_at < $7) AS chosen
FROM jobs FORCE INDEX (jobs_by_state)
WHERE state = 'failed' AND tenant_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3;
