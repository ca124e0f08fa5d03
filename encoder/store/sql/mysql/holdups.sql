-- What may keep tasks of a tenant that wait or stand in line from their start, by queue: whether it is paused, and why;
-- what the tenant has there, and what it may have; whether a worker that was seen lately takes from it.
-- Index: queues_pk, tenant_quotas_pk; task_leases is read once per queue with a cap, workers once per queue: both are as
-- small as the fleet. Locks: none.
-- $1 tenant, $2 queues, $3 within
SELECT q.queue, q.paused_at, q.paused_because, quota.cap, CASE WHEN quota.cap IS NOT NULL THEN (
    SELECT COUNT(*) FROM task_leases WHERE queue = q.queue AND tenant_id = $1) END AS running, EXISTS (
    SELECT 1 FROM workers WHERE JSON_CONTAINS(queues, JSON_QUOTE(q.queue)) AND NOT draining
      AND seen_at > UTC_TIMESTAMP(6) - INTERVAL $3 MICROSECOND) AS taken
FROM JSON_TABLE($2, '$[*]' COLUMNS (queue VARCHAR(128) PATH '$')) AS b STRAIGHT_JOIN queues q ON q.queue = b.queue
LEFT JOIN tenant_quotas quota ON quota.tenant_id = $1 AND quota.queue = q.queue;
