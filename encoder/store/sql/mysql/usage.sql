-- Add up what the jobs of a tenant that were submitted in a time have delivered: outputs that stand at their place. `jobs`:
-- of how many jobs; more than $6 are not looked at.
-- Index: jobs_by_state between two ids, job_outputs_pk. Reads: $6 jobs that match at most, and their outputs. Locks: none.
-- $1 tenant, $2 above this id, $3 below this id, $4 created at or after, $5 created before, $6 limit
SELECT COUNT(DISTINCT looked.id) AS jobs, COUNT(o.job_id) AS outputs,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(o.delivered, '$.durationSeconds')), 'null') + 0e0), 0e0) AS output_seconds,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(o.timings, '$.encodeCpu')), 'null') + 0e0), 0e0) AS cpu_seconds,
  CAST(COALESCE(SUM(JSON_UNQUOTE(JSON_EXTRACT(o.delivered, '$.sizeBytes')) + 0e0), 0e0) AS SIGNED) AS delivered_bytes
FROM (
  SELECT id FROM jobs FORCE INDEX (jobs_by_state)
  WHERE state IN ('queued', 'processing', 'completed', 'failed', 'cancelled') AND tenant_id = $1 AND deleted_at IS NULL
    AND id > $2 AND id < $3 AND created_at >= $4 AND created_at < $5
  LIMIT $6
) AS looked LEFT JOIN job_outputs o ON o.job_id = looked.id AND o.state = 'uploaded';
