-- Retention, second half: remove all rows of the jobs, unless a task of one is live; which jobs went. What they have used
-- is added up first, by tenant, day and preset: in the same transaction, so each job once.
-- Index: removed_usage_pk, tasks_name_once, job_outputs_pk, job_events_pk, webhook_deliveries_once,
-- job_chunks_pk, jobs_pk.
-- Locks: the sums that rise, in order; what it removes; the jobs are locked already.
-- $1 jobs
WITH mine AS MATERIALIZED (
  SELECT id FROM unnest($1::bigint[]) AS job(id)
  WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = job.id AND t.state NOT IN ('done', 'failed', 'cancelled'))
), used AS (
  INSERT INTO removed_usage AS u (tenant_id, day, preset, jobs, outputs, output_seconds, cpu_seconds, delivered_bytes)
  SELECT j.tenant_id, (j.created_at AT TIME ZONE 'UTC')::date,
    coalesce(j.spec #>> ARRAY['outputs', o.position::text, 'preset'], ''),
    count(*) FILTER (WHERE o.position = 0),
    count(*) FILTER (WHERE o.state = 'uploaded'),
    coalesce(sum((o.delivered->>'durationSeconds')::double precision) FILTER (WHERE o.state = 'uploaded'), 0),
    coalesce(sum((o.timings->>'encodeCpu')::double precision) FILTER (WHERE o.state = 'uploaded'), 0),
    coalesce(sum((o.delivered->>'sizeBytes')::bigint) FILTER (WHERE o.state = 'uploaded'), 0)
  FROM mine JOIN jobs j ON j.id = mine.id JOIN job_outputs o ON o.job_id = mine.id
  GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT ON CONSTRAINT removed_usage_pk DO UPDATE SET
    jobs = u.jobs + excluded.jobs, outputs = u.outputs + excluded.outputs,
    output_seconds = u.output_seconds + excluded.output_seconds, cpu_seconds = u.cpu_seconds + excluded.cpu_seconds,
    delivered_bytes = u.delivered_bytes + excluded.delivered_bytes
), done AS (
  DELETE FROM tasks t USING mine WHERE t.job_id = mine.id
), outputs AS (
  DELETE FROM job_outputs o USING mine WHERE o.job_id = mine.id
), events AS (
  DELETE FROM job_events e USING mine WHERE e.job_id = mine.id
), deliveries AS (
  DELETE FROM webhook_deliveries d USING mine WHERE d.job_id = mine.id
), chunks AS (
  DELETE FROM job_chunks c USING mine WHERE c.job_id = mine.id
), jobs AS (
  DELETE FROM jobs j USING mine WHERE j.id = mine.id RETURNING j.id
)
SELECT id FROM jobs;
