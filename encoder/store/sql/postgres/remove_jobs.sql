-- Retention, second half: remove all rows of the jobs, unless a task of one is live; how many jobs went.
-- Index: tasks_name_once, job_outputs_pk, job_events_pk, webhook_deliveries_once, jobs_pk.
-- Locks: what it removes; the jobs are locked already.
-- $1 jobs
WITH mine AS MATERIALIZED (
  SELECT id FROM unnest($1::bigint[]) AS job(id)
  WHERE NOT EXISTS (SELECT FROM tasks t WHERE t.job_id = job.id AND t.state NOT IN ('done', 'failed', 'cancelled'))
), done AS (
  DELETE FROM tasks t USING mine WHERE t.job_id = mine.id
), outputs AS (
  DELETE FROM job_outputs o USING mine WHERE o.job_id = mine.id
), events AS (
  DELETE FROM job_events e USING mine WHERE e.job_id = mine.id
), deliveries AS (
  DELETE FROM webhook_deliveries d USING mine WHERE d.job_id = mine.id
), jobs AS (
  DELETE FROM jobs j USING mine WHERE j.id = mine.id RETURNING j.id
)
SELECT count(*) AS removed FROM jobs;
