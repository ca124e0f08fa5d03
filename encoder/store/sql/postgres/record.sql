-- Record: what a mark, settle, cancel or retry changes on a job, in one statement: outputs, the job itself, events,
-- deliveries with their notify tasks. A receiver that said it wants no more of this job is told no more of it.
-- Index: jobs_pk, job_outputs_pk, webhook_deliveries_once. Locks: the rows of the job, whose own row is locked already.
-- $1 job, $2 at, $3 state, $4 run, $5 cancel requested, $6 last event, $7 media or null, $8 problem or null,
-- $9 outputs, $10 events, $11 deliveries, each with the number of its text, $12 texts, $13 attempts to notify
WITH output AS (
  UPDATE job_outputs o SET
    state = coalesce(c.state, o.state),
    attempts = coalesce(c.attempts, o.attempts),
    plan = coalesce(c.plan, o.plan),
    command = coalesce(c.command, o.command),
    intent = coalesce(c.intent, o.intent),
    delivered = coalesce(c.delivered, o.delivered),
    proof = coalesce(c.proof, o.proof),
    problem = CASE WHEN coalesce(c.state, o.state) = 'failed' THEN coalesce(c.problem, o.problem) END,
    warnings = coalesce(c.warnings, o.warnings),
    timings = coalesce(c.timings, o.timings),
    log = coalesce(c.log, o.log),
    updated_at = $2
  FROM json_to_recordset($9::json) AS c(
    position integer, state text, attempts integer, plan json, command json, intent json, delivered json, proof json,
    problem json, warnings json, timings json, log text)
  WHERE o.job_id = $1 AND o.position = c.position
), job AS (
  UPDATE jobs SET
    state = $3, run = $4, cancel_requested = $5, event_seq = $6, media = coalesce($7::json, media), problem = $8::json,
    started_at = CASE WHEN $3 = 'queued' THEN NULL WHEN state = 'queued' AND $3 = 'processing' THEN $2 ELSE started_at END,
    finished_at = CASE WHEN $3 IN ('completed', 'failed', 'cancelled') THEN $2 END
  WHERE id = $1
  RETURNING id, tenant_id
), event AS (
  INSERT INTO job_events (job_id, seq, type, at, run, output, data, task_id, epoch)
  SELECT $1, e.seq, e.type, $2, $4, e.output, e.data, e.task_id, e.epoch
  FROM json_to_recordset($10::json) AS e(
    seq integer, type text, output integer, data json, task_id bigint, epoch bigint)
), delivery AS (
  INSERT INTO webhook_deliveries (
    job_id, tenant_id, event_seq, event_type, webhook_id, url, body, receiver, state, created_at)
  SELECT $1, job.tenant_id, d.seq, d.type, d.webhook_id, d.url, ($12::text[])[d.body], d.receiver, CASE WHEN d.receiver IN (
      SELECT receiver FROM webhook_deliveries WHERE job_id = $1 AND state = 'gone'
    ) THEN 'gone' ELSE 'pending' END, $2
  FROM job, json_to_recordset($11::json) AS d(
    receiver text, seq integer, type text, webhook_id text, url text, body integer)
  RETURNING id, tenant_id, state
)
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT $1, tenant_id, 'n/' || id, 'notify', 'io', 'waiting', $2, $13, json_build_object('delivery', id), $2 FROM delivery
WHERE state = 'pending';
