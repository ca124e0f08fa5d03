-- Add up what the jobs of a tenant that were submitted in a time have delivered, by preset: outputs that stand at their place.
-- Of jobs whose rows are there, deleted ones too, more than $6 are not looked at. What was removed is told by whole days,
-- `removed`; one statement, so that no job is in both or in neither. `jobs`: of how many the first output has this preset.
-- Index: jobs_by_state between two ids, jobs_pk, job_outputs_pk; removed_usage_pk.
-- Reads: $6 jobs that match at most, twice, and their outputs. Locks: none.
-- $1 tenant, $2 above this id, $3 below this id, $4 created at or after, $5 created before, $6 limit, $7 first day, $8 day after the last
SELECT used.preset, 0 AS removed, COUNT(IF(used.position = 0, 1, NULL)) AS jobs, COUNT(used.delivered) AS outputs,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.durationSeconds')), 'null') + 0e0), 0e0) AS output_seconds,
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.timings, '$.encodeCpu')), 'null') + 0e0), 0e0) AS cpu_seconds,
  CAST(COALESCE(SUM(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.sizeBytes')) + 0e0), 0e0) AS SIGNED) AS delivered_bytes
FROM (
  SELECT o.position, IF(o.state = 'uploaded', o.delivered, NULL) AS delivered, IF(o.state = 'uploaded', o.timings, NULL) AS timings,
    IF(JSON_TYPE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))) = 'STRING',
       JSON_UNQUOTE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))), '') AS preset
  FROM (
    SELECT id FROM jobs FORCE INDEX (jobs_by_state)
    WHERE state IN ('queued', 'processing', 'completed', 'failed', 'cancelled') AND tenant_id = $1
      AND id > $2 AND id < $3 AND created_at >= $4 AND created_at < $5
    LIMIT $6
  ) AS looked STRAIGHT_JOIN jobs j ON j.id = looked.id STRAIGHT_JOIN job_outputs o ON o.job_id = looked.id
) AS used
GROUP BY used.preset
UNION ALL
SELECT preset, 1, CAST(SUM(jobs) AS SIGNED), CAST(SUM(outputs) AS SIGNED), SUM(output_seconds), SUM(cpu_seconds),
  CAST(SUM(delivered_bytes) AS SIGNED)
FROM removed_usage WHERE tenant_id = $1 AND day >= $7 AND day < $8
GROUP BY preset;
