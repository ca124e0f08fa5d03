-- Enqueue: a job whole, in one statement and so in one transaction: job, outputs, root task, the event, and the
-- deliveries with their notify tasks. An upload learns which job uses it.
-- Where nobody stands before it, nor waits, and nothing limits its tenant, the root is admitted at once, as whoever looks
-- next would do. `overtakes`: less urgent work of the tenant stands in line (step_back.sql). The line is looked at from the
-- floor on, where its first place stood a moment ago, and over the newest 256 places of all lines in any case: so that not
-- all the dead rows before them are walked past. `front`: the first place now, or where it would be.
-- No row comes back when the idempotency key was used before, or when nobody asked (ticket.sql) whom to tell, though the
-- tenant has an endpoint.
-- A hint rides along where $17 says so: heard at the commit, a round trip sooner than one that is sent after it.
-- Index: jobs_key_once, webhook_endpoints_once, tasks_heads, task_ready_pk, queues_pk, tenant_quotas_pk, uploads_pk.
-- Locks: none but the new rows, and the upload; waits for a concurrent enqueue under the same key.
-- $1 id or null, $2 time or null, $3 uuid, $4 tenant, $5 spec, $6 label, $7 tags, $8 sealed, $9 key, $10 body hash,
-- $11 outputs, $12 nice, $13 attempts, $14 event type, $15 deliveries or null where nobody asked, $16 attempts to notify
-- $17 with a hint, $18 upload or null, $19 queue, $20 floor, $21 args of the root
WITH job AS (
  INSERT INTO jobs (id, uuid, tenant_id, state, event_seq, spec, label, tags, sealed, idempotency_key, body_hash, created_at)
  SELECT coalesce($1::bigint, nextval('jobs_id_seq')), $3::uuid, $4::bigint, 'queued', 1, $5::json, $6, $7::text[],
         $8::bytea, $9, $10::bytea, coalesce($2, now())
  WHERE $15::json IS NOT NULL OR NOT EXISTS (SELECT FROM webhook_endpoints WHERE tenant_id = $4 AND enabled)
  ON CONFLICT ON CONSTRAINT jobs_key_once DO NOTHING
  RETURNING id, tenant_id, created_at
), outputs AS (
  INSERT INTO job_outputs (job_id, position, state, updated_at)
  SELECT job.id, position, 'queued', job.created_at FROM job, generate_series(0, $11::integer - 1) AS position
), event AS (
  INSERT INTO job_events (job_id, seq, type, at, run, data)
  SELECT job.id, 1, $14, job.created_at, 1, '{}' FROM job
), delivery AS (
  INSERT INTO webhook_deliveries (
    job_id, tenant_id, event_seq, event_type, webhook_id, url, body, receiver, state, created_at)
  SELECT job.id, job.tenant_id, 1, $14, d.webhook_id, d.url, d.body, d.receiver, 'pending', job.created_at
  FROM job, json_to_recordset($15::json) AS d(receiver text, webhook_id text, url text, body text)
  RETURNING id, job_id, tenant_id, created_at
), line_now AS (
  SELECT last_value, (
    SELECT min(seq) FROM task_ready WHERE queue = $19::text AND seq >= least($20::bigint, last_value - 256)) AS front
  FROM tasks_id_seq
), way AS (
  SELECT line_now.front IS NULL AND NOT EXISTS (
      SELECT FROM tasks WHERE queue = $19 AND state = 'waiting') AND NOT EXISTS (
      SELECT FROM queues WHERE queue = $19 AND paused_at IS NOT NULL) AND NOT EXISTS (
      SELECT FROM tenant_quotas WHERE tenant_id = $4 AND queue = $19 AND cap IS NOT NULL) AS free FROM line_now
), task AS (
  INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, state, run_at, max_attempts, args, created_at)
  SELECT id, tenant_id, 't1', 'transcode', $19, $12::smallint, CASE WHEN way.free THEN 'ready' ELSE 'waiting' END,
         created_at, $13::smallint, $21::json, created_at
  FROM job, way
  UNION ALL
  SELECT job_id, tenant_id, 'n/' || id, 'notify', 'io', 0, 'waiting', created_at, $16::smallint,
         json_build_object('delivery', id), created_at
  FROM delivery
  RETURNING id, queue, state, tenant_id, weight
), line AS (
  INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
  SELECT queue, id, id, tenant_id, weight FROM task WHERE state = 'ready'
), used AS (
  UPDATE uploads SET job_id = job.id FROM job WHERE uploads.id = $18::uuid AND uploads.tenant_id = job.tenant_id
)
SELECT id, EXISTS (
    SELECT FROM task_ready r JOIN tasks t ON t.id = r.task_id
    WHERE r.queue = $19 AND r.seq >= line_now.front AND r.tenant_id = $4 AND t.nice > $12
  ) AS overtakes, coalesce(line_now.front, line_now.last_value) AS front,
  CASE WHEN $17::boolean THEN pg_notify('encoder', 'ready:' || $19) END FROM job, line_now;
