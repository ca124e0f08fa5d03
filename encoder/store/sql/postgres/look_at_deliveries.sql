-- A look at what receivers were told, newest first, and which of it was meant. What is of a deleted job never is.
-- Index: webhook_deliveries_by_tenant, or _by_state for one state, or _once for one job; jobs_pk. Reads: $3 deliveries,
-- whatever matches. Locks: none. The planner is not to know how many: where no statistics tell of a tenant, it takes them
-- for about as many as it has, reads all by a bitmap and sorts.
-- $1 tenant, $2 below this id, $3 how many are looked at, $4 job, $5 state, $6 receiver, $7 event type, $8 written at or
-- after, $9 written before; the last six may be null
WITH looked AS MATERIALIZED (
  SELECT id, job_id, receiver, event_type, created_at FROM webhook_deliveries
  WHERE tenant_id = $1 AND -id > -$2::bigint AND ($4::bigint IS NULL OR job_id = $4) AND ($5::text IS NULL OR state = $5)
  ORDER BY -id LIMIT (SELECT $3::bigint)
)
SELECT id, ($6::text IS NULL OR receiver = $6) AND ($7::text IS NULL OR event_type = $7)
  AND ($8::timestamptz IS NULL OR created_at >= $8) AND ($9::timestamptz IS NULL OR created_at < $9)
  AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = job_id AND deleted_at IS NOT NULL) AS chosen
FROM looked ORDER BY id DESC;
