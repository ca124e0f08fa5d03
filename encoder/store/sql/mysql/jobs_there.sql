-- Retention: which of these jobs there are, and of which something is live.
-- Index: jobs_uuid_once, tasks_name_once. Locks: none.
-- $1 uuids
SELECT j.uuid AS id, j.state NOT IN ('completed', 'failed', 'cancelled') OR EXISTS (
  SELECT 1 FROM tasks t WHERE t.job_id = j.id AND t.state NOT IN ('done', 'failed', 'cancelled')) AS live
FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.uuid = UNHEX(b.id);
