-- Add up what the jobs of a tenant that were submitted in a time have delivered: outputs that stand at their place. `jobs`:
-- of how many jobs; more than $6 of a state are not looked at. By the time itself no index is to be chosen: it has all tenants'.
-- Index: jobs_by_state between two ids, job_outputs_pk. Reads: $6 jobs of each state at most, and their outputs. Locks: none.
-- $1 tenant, $2 above this id, $3 below this id, $4 created at or after, $5 created before, $6 limit
WITH looked AS MATERIALIZED (
  SELECT found.id FROM unnest('{queued,processing,completed,failed,cancelled}'::text[]) AS wanted(state) CROSS JOIN LATERAL (
    SELECT id FROM jobs
    WHERE state = wanted.state AND tenant_id = $1 AND deleted_at IS NULL AND -id > -$3::bigint AND -id < -$2::bigint
      AND coalesce(created_at >= $4 AND created_at < $5, false)
    ORDER BY -id LIMIT $6
  ) AS found
)
SELECT (SELECT count(*) FROM looked) AS jobs, count(*) AS outputs,
  coalesce(sum((o.delivered->>'durationSeconds')::double precision), 0) AS output_seconds,
  coalesce(sum((o.timings->>'encodeCpu')::double precision), 0) AS cpu_seconds,
  coalesce(sum((o.delivered->>'sizeBytes')::bigint), 0)::bigint AS delivered_bytes
FROM looked JOIN job_outputs o ON o.job_id = looked.id AND o.state = 'uploaded';
