-- What may keep the waiting tasks of a tenant from their admission, by queue: whether it is paused, and why; what the
-- tenant has there, and what it may have.
-- Index: queues_pk, tenant_quotas_pk; task_ready and task_leases are read once per queue with a cap. Locks: none.
-- $1 tenant, $2 queues
SELECT q.queue, q.paused_at, q.paused_because, quota.cap, CASE WHEN quota.cap IS NOT NULL THEN (
    SELECT COUNT(*) FROM task_leases WHERE queue = q.queue AND tenant_id = $1) END AS running
FROM JSON_TABLE($2, '$[*]' COLUMNS (queue VARCHAR(128) PATH '$')) AS b STRAIGHT_JOIN queues q ON q.queue = b.queue
LEFT JOIN tenant_quotas quota ON quota.tenant_id = $1 AND quota.queue = q.queue
WHERE q.paused_at IS NOT NULL OR quota.cap IS NOT NULL;
