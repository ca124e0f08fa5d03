-- What may keep tasks of a tenant that wait or stand in line from their start, by queue: whether it is paused, and why;
-- what the tenant has there, and what it may have; whether a worker that was seen lately takes from it.
-- Index: queues_pk, tenant_quotas_pk; task_leases is read once per queue with a cap, workers once per queue: both are as
-- small as the fleet. Locks: none.
-- $1 tenant, $2 queues, $3 within
SELECT q.queue, q.paused_at, q.paused_because, quota.cap, CASE WHEN quota.cap IS NOT NULL THEN (
    SELECT count(*) FROM task_leases WHERE queue = q.queue AND tenant_id = $1) END AS running, EXISTS (
    SELECT FROM workers WHERE q.queue = ANY(queues) AND NOT draining AND seen_at > now() - $3::interval) AS taken
FROM queues q LEFT JOIN tenant_quotas quota ON quota.tenant_id = $1 AND quota.queue = q.queue
WHERE q.queue = ANY($2::text[]);
