-- List what receivers were told, newest first: of a tenant, or of one job.
-- Index: webhook_deliveries_by_tenant, or webhook_deliveries_once for one job; jobs_pk. Locks: none.
-- $1 tenant, $2 job or null, $3 limit
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, NULL AS sealed
FROM webhook_deliveries d FORCE INDEX (webhook_deliveries_by_tenant) STRAIGHT_JOIN jobs j ON j.id = d.job_id
WHERE d.tenant_id = $1 AND j.deleted_at IS NULL
ORDER BY d.id DESC LIMIT $3;
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, NULL AS sealed
FROM webhook_deliveries d FORCE INDEX (webhook_deliveries_once) STRAIGHT_JOIN jobs j ON j.id = d.job_id
WHERE d.tenant_id = $1 AND d.job_id = $2 AND j.deleted_at IS NULL
ORDER BY d.id DESC LIMIT $3;
