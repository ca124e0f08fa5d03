-- Settle of a root that splits: the task behind its parts, which is blocked until they have ended, or waits where there is
-- none; then the parts.
-- Index: jobs_pk. Locks: none but the new rows; the job is locked already. A second split cannot insert: tasks_name_once.
-- $1 job, $2 nice, $3 attempts, $4 the task behind, $5 parts
WITH behind AS (
  INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, weight, state, pending, run_at, max_attempts, args, created_at)
  SELECT j.id, j.tenant_id, b.name, b.kind, b.queue, $2, b.weight,
         CASE WHEN json_array_length($5::json) = 0 THEN 'waiting' ELSE 'blocked' END,
         json_array_length($5::json), clock_timestamp(), $3, b.args, clock_timestamp()
  FROM jobs j, json_to_record($4::json) AS b(name text, kind text, queue text, weight smallint, args json) WHERE j.id = $1
  RETURNING id, job_id, tenant_id
)
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, weight, state, then_id, run_at, max_attempts, args, created_at)
SELECT behind.job_id, behind.tenant_id, p.name, p.kind, p.queue, $2, p.weight, 'waiting', behind.id, clock_timestamp(), $3,
       p.args, clock_timestamp()
FROM behind, json_to_recordset($5::json) AS p(name text, kind text, queue text, weight smallint, args json);
