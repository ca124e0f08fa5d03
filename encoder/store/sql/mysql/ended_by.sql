-- Count the jobs that ended in a time by how: state, code of a failure, and how long they had waited for their first
-- start, as a number on a scale of eight steps to each doubling. The first $4 that ended then are looked at, `looked`, of
-- whatever tenant.
-- Index: jobs_ended. Reads: $4 jobs at most. Locks: none.
-- $1 tenant or null for all, $2 ended at or after, $3 ended before, $4 limit
SELECT state, code, step, COUNT(IF($1 IS NULL OR tenant_id = $1, 1, NULL)) AS jobs, COUNT(*) AS looked
FROM (
  SELECT tenant_id, state, IF(state = 'failed', JSON_UNQUOTE(JSON_EXTRACT(problem, '$.code')), NULL) AS code,
    IF(run = 1, CAST(FLOOR(8 * LN(GREATEST(TIMESTAMPDIFF(MICROSECOND, created_at, started_at), 1000) / 1e6) / LN(2)) AS SIGNED),
       NULL) AS step
  FROM jobs FORCE INDEX (jobs_ended) WHERE finished_at >= $2 AND finished_at < $3 ORDER BY finished_at, id LIMIT $4
) AS looked
GROUP BY state, code, step;
