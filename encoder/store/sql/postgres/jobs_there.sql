-- Retention: which of these jobs there are, and of which something is live.
-- Index: jobs_uuid_once, tasks_name_once. Locks: none.
-- $1 uuids
SELECT j.uuid AS id, j.state NOT IN ('completed', 'failed', 'cancelled') OR EXISTS (
  SELECT FROM tasks t WHERE t.job_id = j.id AND t.state NOT IN ('done', 'failed', 'cancelled')) AS live
FROM jobs j WHERE j.uuid = ANY($1::uuid[]);
