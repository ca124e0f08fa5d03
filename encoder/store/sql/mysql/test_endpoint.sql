-- Test a webhook endpoint: a delivery of no job; its notify task is that of tell.sql.
-- Index: webhook_deliveries_once. Locks: none but the new rows; the endpoint is held already.
-- $1 minus the endpoint, $2 tenant, $3 receiver, $4 number, $5 type, $6 webhook id, $7 url, $8 body
INSERT INTO webhook_deliveries (
  job_id, tenant_id, receiver, event_seq, event_type, webhook_id, url, body, state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', UTC_TIMESTAMP(6));
