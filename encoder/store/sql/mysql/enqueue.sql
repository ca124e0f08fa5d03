-- Enqueue: a job whole, in one transaction: the time, and who is told of the tenant's jobs; job; its tags, one by one;
-- outputs, root task, the event; deliveries (tell.sql); an upload learns which job uses it. Error 1062 on jobs_key_once: the
-- key was used before.
-- Index: jobs_key_once, webhook_endpoints_once, uploads_pk. Locks: none but the new rows, and the upload; waits for a concurrent enqueue under the same key.
-- $1 tenant; then $1 time, $2 uuid, $3 tenant, $4 spec, $5 label, $6 tags, $7 sealed, $8 key, $9 body hash
SELECT UTC_TIMESTAMP(6) AS at, (
  SELECT JSON_ARRAYAGG(receiver) FROM webhook_endpoints WHERE tenant_id = $1 AND enabled) AS receivers;
INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, tags, sealed, idempotency_key, body_hash, created_at)
VALUES ($2, $3, 'queued', 1, $4, $5, $6, $7, CAST($8 AS BINARY), $9, $1);
-- $1 job, $2 tenant, $3 tags
INSERT INTO job_tags (tenant_id, tag, job_id)
SELECT DISTINCT $2, CAST(b.tag AS BINARY), $1 FROM JSON_TABLE($3, '$[*]' COLUMNS (tag TEXT PATH '$')) AS b;
-- $1 job, $2 positions, $3 time
INSERT INTO job_outputs (job_id, position, state, updated_at)
SELECT $1, b.position, 'queued', $3 FROM JSON_TABLE($2, '$[*]' COLUMNS (position INT PATH '$')) AS b;
-- $1 job, $2 tenant, $3 time, $4 nice, $5 attempts, $6 queue, $7 args
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, state, run_at, max_attempts, args, created_at)
VALUES ($1, $2, 't1', 'transcode', $6, $4, 'waiting', $3, $5, $7, $3);
-- $1 job, $2 time, $3 event type
INSERT INTO job_events (job_id, seq, type, at, run, data) VALUES ($1, 1, $3, $2, 1, '{}');
-- $1 job, $2 upload, $3 tenant
UPDATE uploads SET job_id = $1 WHERE id = $2 AND tenant_id = $3;
