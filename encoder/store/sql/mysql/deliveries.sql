-- List deliveries by their numbers, newest first, each with the time of its next try, where that is still to
-- come. A test has no job.
-- Index: webhook_deliveries_pk, jobs_pk, tasks_name_once. Locks: none.
-- $1 deliveries
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, d.receiver,
       NULL AS sealed, CASE WHEN d.state = 'pending' THEN (
         SELECT t.run_at FROM tasks t
         WHERE t.job_id = d.job_id AND t.name = CONCAT('n/', d.id) AND t.state = 'scheduled') END AS next_try_at
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN webhook_deliveries d ON d.id = b.id LEFT JOIN jobs j ON j.id = d.job_id
ORDER BY d.id DESC;
