-- Add up what jobs that ended in a time have delivered, by tenant and preset, what took most first. The first $4 that
-- ended then are looked at, of whatever tenant.
-- Index: jobs_ended, jobs_pk, job_outputs_pk. Reads: $4 jobs at most, twice, and their outputs. Locks: none.
-- $1 tenant or null for all, $2 ended at or after, $3 ended before, $4 limit, $5 how many rows
SELECT used.tenant_id, used.preset, COUNT(*) AS outputs,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.durationSeconds')), 'null') + 0e0), 0e0) AS output_seconds,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.timings, '$.encodeCpu')), 'null') + 0e0), 0e0) AS cpu_seconds,
  CAST(COALESCE(SUM(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.sizeBytes')) + 0e0), 0e0) AS SIGNED) AS delivered_bytes
FROM (
  SELECT looked.tenant_id, o.delivered, o.timings,
    IF(JSON_TYPE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))) = 'STRING',
       JSON_UNQUOTE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))), '') AS preset
  FROM (
    SELECT id, tenant_id FROM jobs FORCE INDEX (jobs_ended)
    WHERE finished_at >= $2 AND finished_at < $3 ORDER BY finished_at, id LIMIT $4
  ) AS looked STRAIGHT_JOIN jobs j ON j.id = looked.id STRAIGHT_JOIN job_outputs o ON o.job_id = looked.id
  WHERE o.state = 'uploaded' AND ($1 IS NULL OR looked.tenant_id = $1)
) AS used
GROUP BY used.tenant_id, used.preset ORDER BY cpu_seconds DESC, used.tenant_id, used.preset LIMIT $5;
