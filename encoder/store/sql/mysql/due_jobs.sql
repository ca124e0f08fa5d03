-- Retention: of the jobs that ended first, behind a place in that order, those whose time is over by the first rule that they
-- fit, and of which no task is live; and the last one that was looked at, so that whoever asks goes on behind it.
-- Index: jobs_ended, tasks_name_once, job_tags_pk. Reads: $3 jobs at most. Locks: none.
-- $1 rules, of which the last fits all, $2 the least of their ages, $3 how many, $4 and $5 behind this time and job
WITH looked AS (
  SELECT id, uuid, finished_at, state, tenant_id, purging_at IS NULL AND deleted_at IS NULL AS kept
  FROM jobs FORCE INDEX (jobs_ended)
  WHERE finished_at < UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND
    AND finished_at >= $4 AND (finished_at > $4 OR id > $5)
  ORDER BY finished_at, id LIMIT $3
), judged AS (
  SELECT looked.id, looked.uuid, looked.finished_at, fits.n - 1 AS rule,
    kept AND state IN ('completed', 'failed', 'cancelled')
    AND fits.hours > 0 AND looked.finished_at < UTC_TIMESTAMP(6) - INTERVAL ROUND(fits.hours * 3600000000) MICROSECOND
    AND NOT EXISTS (
      SELECT 1 FROM tasks t WHERE t.job_id = looked.id AND t.state NOT IN ('done', 'failed', 'cancelled')) AS due
  FROM looked STRAIGHT_JOIN JSON_TABLE($1, '$[*]' COLUMNS (n FOR ORDINALITY, hours DOUBLE PATH '$.hours')) AS fits
  WHERE fits.n = (
    SELECT MIN(r.n) FROM JSON_TABLE($1, '$[*]' COLUMNS (
      n FOR ORDINALITY, state VARCHAR(16) PATH '$.status', tenant_id BIGINT PATH '$.tenant',
      tag VARCHAR(1024) PATH '$.tag')) AS r
    WHERE (r.state IS NULL OR CAST(r.state AS BINARY) = CAST(looked.state AS BINARY))
      AND (r.tenant_id IS NULL OR r.tenant_id = looked.tenant_id)
      AND (r.tag IS NULL OR EXISTS (
        SELECT 1 FROM job_tags g
        WHERE g.tenant_id = looked.tenant_id AND g.tag = CAST(r.tag AS BINARY) AND g.job_id = looked.id)))
)
SELECT id, uuid, finished_at AS at, rule, due FROM judged
WHERE due OR id = (SELECT id FROM looked ORDER BY finished_at DESC, id DESC LIMIT 1)
ORDER BY finished_at, id;
