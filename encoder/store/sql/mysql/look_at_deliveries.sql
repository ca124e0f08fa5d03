-- A look at what receivers were told, newest first, and which of it was meant. What is of a deleted job never is.
-- Index: webhook_deliveries_by_tenant, or _by_state for one state, or _once for one job; jobs_pk. Reads: $3 deliveries,
-- whatever matches. Locks: none.
-- $1 tenant, $2 below this id, $3 how many are looked at, $4 job, $5 state, $6 receiver, $7 event type, $8 written at or
-- after, $9 written before; the last six may be null
SELECT d.id, ($6 IS NULL OR d.receiver = $6) AND ($7 IS NULL OR d.event_type = $7)
  AND ($8 IS NULL OR d.created_at >= $8) AND ($9 IS NULL OR d.created_at < $9)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.job_id AND j.deleted_at IS NOT NULL) AS chosen
FROM webhook_deliveries d FORCE INDEX (webhook_deliveries_by_tenant)
WHERE d.tenant_id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3;
SELECT d.id, ($6 IS NULL OR d.receiver = $6) AND ($7 IS NULL OR d.event_type = $7)
  AND ($8 IS NULL OR d.created_at >= $8) AND ($9 IS NULL OR d.created_at < $9)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.job_id AND j.deleted_at IS NOT NULL) AS chosen
FROM webhook_deliveries d FORCE INDEX (webhook_deliveries_by_state)
WHERE d.tenant_id = $1 AND d.id < $2 AND d.state = $5 ORDER BY d.id DESC LIMIT $3;
SELECT d.id, ($6 IS NULL OR d.receiver = $6) AND ($7 IS NULL OR d.event_type = $7)
  AND ($8 IS NULL OR d.created_at >= $8) AND ($9 IS NULL OR d.created_at < $9)
  AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.job_id AND j.deleted_at IS NOT NULL) AS chosen
FROM webhook_deliveries d FORCE INDEX (webhook_deliveries_once)
WHERE d.tenant_id = $1 AND d.id < $2 AND d.job_id = $4 AND ($5 IS NULL OR d.state = $5) ORDER BY d.id DESC LIMIT $3;
