-- List what receivers were told, newest first. Each job is looked up by itself: joined, the planner may read them all, as
-- long as it has no statistics.
-- Index: webhook_deliveries_by_tenant, or webhook_deliveries_once for one job; jobs_pk. Locks: none.
-- $1 tenant, $2 job or null, $3 limit
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, NULL::bytea AS sealed
FROM webhook_deliveries d CROSS JOIN LATERAL (SELECT uuid, deleted_at FROM jobs WHERE id = d.job_id OFFSET 0) j
WHERE d.tenant_id = $1 AND ($2::bigint IS NULL OR d.job_id = $2) AND j.deleted_at IS NULL
ORDER BY -d.id LIMIT $3;
