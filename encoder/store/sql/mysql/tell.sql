-- A delivery, and the notify task that tells it. A receiver that said it wants no more of this job is told no more of it.
-- Index: jobs_pk, webhook_deliveries_once, webhook_deliveries_pk. Locks: none but the new rows; the job is locked already.
-- $1 job, $2 at, $3 receiver, $4 event, $5 event type, $6 webhook id, $7 url, $8 body
INSERT INTO webhook_deliveries (
  job_id, tenant_id, receiver, event_seq, event_type, webhook_id, url, body, state, created_at)
SELECT id, tenant_id, $3, $4, $5, $6, $7, $8, CASE WHEN EXISTS (
    SELECT 1 FROM webhook_deliveries g WHERE g.job_id = $1 AND g.receiver = $3 AND g.state = 'gone'
  ) THEN 'gone' ELSE 'pending' END, $2
FROM jobs WHERE id = $1;
-- $1 delivery, $2 attempts
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
SELECT job_id, tenant_id, CONCAT('n/', id), 'notify', 'io', 'waiting', created_at, $2, CONCAT('{"delivery": ', id, '}'), created_at
FROM webhook_deliveries WHERE id = $1 AND state = 'pending';
