-- Retention: of the jobs that ended first, behind a place in that order, those whose time is over by the first rule that they
-- fit, and of which no task is live; and the last one that was looked at, so that whoever asks goes on behind it.
-- Index: jobs_ended, tasks_name_once. Reads: $3 jobs at most. Locks: none.
-- $1 rules, of which the last fits all, $2 the least of their ages, $3 how many, $4 and $5 behind this time and job
WITH rules AS MATERIALIZED (
  SELECT n, rule->>'status' AS state, (rule->>'tenant')::bigint AS tenant_id, rule->>'tag' AS tag,
    (rule->>'hours')::double precision AS hours
  FROM json_array_elements($1::json) WITH ORDINALITY AS given(rule, n)
), looked AS MATERIALIZED (
  SELECT id, uuid, finished_at, state, tenant_id, tags, purging_at IS NULL AND deleted_at IS NULL AS kept FROM jobs
  WHERE finished_at < now() - $2::interval AND (finished_at, id) > ($4::timestamptz, $5::bigint)
  ORDER BY finished_at, id LIMIT $3
), judged AS (
  SELECT looked.id, looked.uuid, looked.finished_at, fits.n - 1 AS rule,
    kept AND state IN ('completed', 'failed', 'cancelled')
    AND fits.hours > 0 AND looked.finished_at < now() - fits.hours * interval '1 hour' AND NOT EXISTS (
      SELECT FROM tasks t WHERE t.job_id = looked.id AND t.state NOT IN ('done', 'failed', 'cancelled')) AS due
  FROM looked CROSS JOIN LATERAL (
    SELECT n, hours FROM rules r
    WHERE (r.state IS NULL OR r.state = looked.state) AND (r.tenant_id IS NULL OR r.tenant_id = looked.tenant_id)
      AND (r.tag IS NULL OR r.tag = ANY(looked.tags))
    ORDER BY n LIMIT 1) AS fits
)
SELECT id, uuid, finished_at AS at, rule, due FROM judged
WHERE due OR id = (SELECT id FROM looked ORDER BY finished_at DESC, id DESC LIMIT 1)
ORDER BY finished_at, id;
