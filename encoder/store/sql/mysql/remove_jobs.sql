-- Retention, second half: find which of the jobs have a live task after all; remove all rows of the others. What they have
-- used is added up first, by tenant, day and preset: in the same transaction, so each job once.
-- Index: removed_usage_pk, tasks_name_once, job_outputs_pk, job_events_pk, webhook_deliveries_once, job_tags_of,
-- job_chunks_pk, jobs_pk.
-- Locks: the sums that rise, in order; what it removes; the jobs are locked already.
-- $1 jobs
SELECT DISTINCT t.job_id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks t ON t.job_id = b.id WHERE t.state NOT IN ('done', 'failed', 'cancelled');
-- $1 jobs
INSERT INTO removed_usage (tenant_id, day, preset, jobs, outputs, output_seconds, cpu_seconds, delivered_bytes)
SELECT used.tenant_id, used.day, used.preset, COUNT(IF(used.position = 0, 1, NULL)), COUNT(used.delivered),
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.durationSeconds')), 'null') + 0e0), 0e0),
  COALESCE(SUM(NULLIF(JSON_UNQUOTE(JSON_EXTRACT(used.timings, '$.encodeCpu')), 'null') + 0e0), 0e0),
  CAST(COALESCE(SUM(JSON_UNQUOTE(JSON_EXTRACT(used.delivered, '$.sizeBytes')) + 0e0), 0e0) AS SIGNED)
FROM (
  SELECT j.tenant_id, DATE(j.created_at) AS day, o.position,
    IF(o.state = 'uploaded', o.delivered, NULL) AS delivered, IF(o.state = 'uploaded', o.timings, NULL) AS timings,
    IF(JSON_TYPE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))) = 'STRING',
       JSON_UNQUOTE(JSON_EXTRACT(j.spec, CONCAT('$.outputs[', o.position, '].preset'))), '') AS preset
  FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
  STRAIGHT_JOIN jobs j ON j.id = b.id STRAIGHT_JOIN job_outputs o ON o.job_id = b.id
) AS used
GROUP BY used.tenant_id, used.day, used.preset ORDER BY used.tenant_id, used.day, used.preset
ON DUPLICATE KEY UPDATE
  removed_usage.jobs = removed_usage.jobs + VALUES(jobs), removed_usage.outputs = removed_usage.outputs + VALUES(outputs),
  removed_usage.output_seconds = removed_usage.output_seconds + VALUES(output_seconds),
  removed_usage.cpu_seconds = removed_usage.cpu_seconds + VALUES(cpu_seconds),
  removed_usage.delivered_bytes = removed_usage.delivered_bytes + VALUES(delivered_bytes);
-- $1 jobs
DELETE t FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.job_id = b.id;
-- $1 jobs
DELETE o FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_outputs o ON o.job_id = b.id;
-- $1 jobs
DELETE e FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_events e ON e.job_id = b.id;
-- $1 jobs
DELETE d FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN webhook_deliveries d ON d.job_id = b.id;
-- $1 jobs
DELETE g FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_tags g ON g.job_id = b.id;
-- $1 jobs
DELETE c FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_chunks c ON c.job_id = b.id;
-- $1 jobs
DELETE j FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id;
