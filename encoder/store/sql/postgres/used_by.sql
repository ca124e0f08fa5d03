-- Add up what jobs that ended in a time have delivered, by tenant and preset, what took most first. The first $4 that
-- ended then are looked at, of whatever tenant.
-- Index: jobs_ended, job_outputs_pk. Reads: $4 jobs at most, and their outputs. Locks: none.
-- $1 tenant or null for all, $2 ended at or after, $3 ended before, $4 limit, $5 how many rows
SELECT looked.tenant_id, coalesce(looked.spec #>> ARRAY['outputs', o.position::text, 'preset'], '') AS preset,
  count(*) AS outputs,
  coalesce(sum((o.delivered->>'durationSeconds')::double precision), 0) AS output_seconds,
  coalesce(sum((o.timings->>'encodeCpu')::double precision), 0) AS cpu_seconds,
  coalesce(sum((o.delivered->>'sizeBytes')::bigint), 0)::bigint AS delivered_bytes
FROM (
  SELECT id, tenant_id, spec FROM jobs
  WHERE finished_at >= $2 AND finished_at < $3 ORDER BY finished_at, id LIMIT $4
) AS looked JOIN job_outputs o ON o.job_id = looked.id
WHERE o.state = 'uploaded' AND ($1::bigint IS NULL OR looked.tenant_id = $1)
GROUP BY 1, 2 ORDER BY 5 DESC, 1, 2 LIMIT $5;
