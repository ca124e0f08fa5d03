-- What receivers are told of a job's events: which of them said that they want no more of this job; the deliveries, one by
-- one; then the notify tasks that tell them.
-- Index: webhook_deliveries_once, jobs_pk. Locks: none but the new rows; the job is locked already.
-- $1 job
SELECT DISTINCT receiver FROM webhook_deliveries WHERE job_id = $1 AND state = 'gone';
-- $1 job, $2 at, $3 receiver, $4 event, $5 event type, $6 webhook id, $7 url, $8 body, $9 state
INSERT INTO webhook_deliveries (
  job_id, tenant_id, receiver, event_seq, event_type, webhook_id, url, body, state, created_at)
SELECT id, tenant_id, $3, $4, $5, $6, $7, $8, $9, $2 FROM jobs WHERE id = $1;
-- $1 job, $2 first event, $3 attempts
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT job_id, tenant_id, CONCAT('n/', id), 'notify', 'io', 'waiting', created_at, $3, CONCAT('{"delivery": ', id, '}'), created_at
FROM webhook_deliveries WHERE job_id = $1 AND event_seq >= $2 AND state = 'pending' ORDER BY id;
