-- Add up what the jobs of a tenant that were submitted in a time have delivered, by preset: outputs that stand at their place.
-- Of jobs whose rows are there, deleted ones too, more than $6 of a state are not looked at; by the time itself no index is to
-- be chosen: it has all tenants'. What was removed is told by whole days, `removed`; one statement, so that no job is in both
-- or in neither. `jobs`: of how many jobs the first output has this preset.
-- Index: jobs_by_state and jobs_hidden between two ids, jobs_pk, job_outputs_pk; removed_usage_pk.
-- Reads: $6 jobs of each state at most, twice, and their outputs. Locks: none.
-- $1 tenant, $2 above this id, $3 below this id, $4 created at or after, $5 created before, $6 limit, $7 first day, $8 day after the last
WITH looked AS MATERIALIZED (
  SELECT found.id FROM unnest('{queued,processing,completed,failed,cancelled}'::text[]) AS wanted(state) CROSS JOIN LATERAL (
    SELECT id FROM jobs
    WHERE state = wanted.state AND tenant_id = $1 AND deleted_at IS NULL AND -id > -$3::bigint AND -id < -$2::bigint
      AND coalesce(created_at >= $4 AND created_at < $5, false)
    ORDER BY -id LIMIT $6
  ) AS found
  UNION ALL
  (SELECT id FROM jobs
   WHERE tenant_id = $1 AND deleted_at IS NOT NULL AND -id > -$3::bigint AND -id < -$2::bigint
     AND coalesce(created_at >= $4 AND created_at < $5, false)
   ORDER BY -id LIMIT $6)
)
SELECT coalesce(j.spec #>> ARRAY['outputs', o.position::text, 'preset'], '') AS preset, false AS removed,
  count(*) FILTER (WHERE o.position = 0) AS jobs,
  count(*) FILTER (WHERE o.state = 'uploaded') AS outputs,
  coalesce(sum((o.delivered->>'durationSeconds')::double precision) FILTER (WHERE o.state = 'uploaded'), 0) AS output_seconds,
  coalesce(sum((o.timings->>'encodeCpu')::double precision) FILTER (WHERE o.state = 'uploaded'), 0) AS cpu_seconds,
  coalesce(sum((o.delivered->>'sizeBytes')::bigint) FILTER (WHERE o.state = 'uploaded'), 0)::bigint AS delivered_bytes
FROM looked JOIN job_outputs o ON o.job_id = looked.id JOIN jobs j ON j.id = looked.id
GROUP BY 1
UNION ALL
SELECT preset, true, sum(jobs)::bigint, sum(outputs)::bigint, sum(output_seconds), sum(cpu_seconds), sum(delivered_bytes)::bigint
FROM removed_usage WHERE tenant_id = $1 AND day >= $7 AND day < $8
GROUP BY preset;
