-- Read the delivery of a notify task, with what its sending needs: the secrets of the job, or of the endpoint, if that is
-- still there. None when the job is deleted or the receiver wants no more.
-- Another endpoint that has got the name since is told only what somebody asked to be told again.
-- Index: webhook_deliveries_pk, jobs_pk, webhook_endpoints_once, tasks_name_once. Locks: none.
-- $1 delivery, $2 whether it is told again
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, d.receiver, j.sealed,
       NULL AS next_try_at,
       (SELECT JSON_UNQUOTE(JSON_EXTRACT(t.args, '$.traceparent')) FROM tasks t
        WHERE t.job_id = d.job_id AND t.name = 't1') AS traceparent,
       e.uuid AS endpoint_uuid, e.enabled, e.sealed_url, e.secret,
       CASE WHEN e.old_secret_until > UTC_TIMESTAMP(6) THEN e.old_secret END AS old_secret
FROM webhook_deliveries d
LEFT JOIN jobs j ON j.id = d.job_id
LEFT JOIN webhook_endpoints e ON e.tenant_id = d.tenant_id AND e.name = d.receiver AND d.receiver <> ''
  AND ($2 OR e.created_at <= d.created_at)
WHERE d.id = $1 AND d.state <> 'gone' AND j.deleted_at IS NULL AND (j.id IS NOT NULL OR d.job_id < 0);
