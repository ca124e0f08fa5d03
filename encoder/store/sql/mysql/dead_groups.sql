-- Dead letters: the newest $2 failed jobs of a tenant by what went wrong, the most frequent first.
-- Index: jobs_by_state, from its newest on. Reads: $2 jobs that were not deleted, however many failed. Locks: none.
-- $1 tenant, $2 how many are looked at, $3 failed at or after, $4 failed before; the last two may be null
SELECT code, kind, COUNT(*) AS jobs, MIN(finished_at) AS first_at, MAX(finished_at) AS last_at
FROM (
  SELECT JSON_UNQUOTE(JSON_EXTRACT(problem, '$.code')) AS code,
         JSON_UNQUOTE(JSON_EXTRACT(problem, '$.class')) AS kind, finished_at
  FROM jobs FORCE INDEX (jobs_by_state)
  WHERE state = 'failed' AND tenant_id = $1 AND deleted_at IS NULL ORDER BY id DESC LIMIT $2
) AS looked
WHERE code IS NOT NULL AND ($3 IS NULL OR finished_at >= $3) AND ($4 IS NULL OR finished_at < $4)
GROUP BY code, kind ORDER BY jobs DESC, code, kind;
