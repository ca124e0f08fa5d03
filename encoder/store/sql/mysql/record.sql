-- Record: what a mark, settle, cancel or retry changes on a job: the job itself; each output; each event. Deliveries with
-- their notify tasks: tell.sql. SET goes from left to right here: what asks for the state before stands before it.
-- Index: jobs_pk, job_outputs_pk. Locks: the rows of the job, whose own row is locked already.
-- $1 job, $2 at, $3 state, $4 run, $5 cancel requested, $6 last event, $7 media or null, $8 problem or null
UPDATE jobs SET
  started_at = CASE WHEN $3 = 'queued' THEN NULL WHEN state = 'queued' AND $3 = 'processing' THEN $2 ELSE started_at END,
  finished_at = CASE WHEN $3 IN ('completed', 'failed', 'cancelled') THEN $2 END,
  run = $4, cancel_requested = $5, event_seq = $6, media = COALESCE($7, media), problem = $8, state = $3
WHERE id = $1;
-- $1 job, $2 position, $3 at, $4 state, $5 attempts, $6 plan, $7 command, $8 intent, $9 delivered, $10 proof, $11 problem,
-- $12 warnings, $13 timings, $14 log
UPDATE job_outputs SET
  state = COALESCE($4, state),
  attempts = COALESCE($5, attempts),
  plan = COALESCE($6, plan),
  command = COALESCE($7, command),
  intent = COALESCE($8, intent),
  delivered = COALESCE($9, delivered),
  proof = COALESCE($10, proof),
  problem = CASE WHEN state = 'failed' THEN COALESCE($11, problem) END,
  warnings = COALESCE($12, warnings),
  timings = COALESCE($13, timings),
  log = COALESCE($14, log),
  updated_at = $3
WHERE job_id = $1 AND position = $2;
-- $1 job, $2 seq, $3 type, $4 at, $5 run, $6 output, $7 data, $8 task, $9 epoch
INSERT INTO job_events (job_id, seq, type, at, run, output, data, task_id, epoch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
