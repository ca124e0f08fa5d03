-- Read the delivery of a notify task, with the job's secrets; none when the job is deleted or the receiver wants no more.
-- Index: webhook_deliveries_pk, jobs_pk. Locks: none.
-- $1 delivery
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, j.sealed
FROM webhook_deliveries d JOIN jobs j ON j.id = d.job_id
WHERE d.id = $1 AND d.state <> 'gone' AND j.deleted_at IS NULL;
