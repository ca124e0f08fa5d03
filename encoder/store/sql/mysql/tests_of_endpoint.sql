-- Clear a webhook endpoint's tests, but for those that still wait for something and the last day's; and number the next one.
-- Index: webhook_deliveries_once, tasks_name_once. Locks: what it removes; the endpoint is held already.
-- $1 minus the endpoint
DELETE t FROM tasks t JOIN webhook_deliveries d
ON d.job_id = t.job_id AND (t.name = CONCAT('n/', d.id) OR t.name LIKE CONCAT('n/', d.id, '/%'))
WHERE t.job_id = $1 AND t.state IN ('done', 'failed', 'cancelled')
AND d.state <> 'pending' AND d.created_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY;
-- $1 minus the endpoint
SELECT COALESCE(MAX(event_seq), 0) + 1 AS seq, UTC_TIMESTAMP(6) AS at FROM webhook_deliveries WHERE job_id = $1;
-- $1 minus the endpoint
DELETE FROM webhook_deliveries
WHERE job_id = $1 AND state <> 'pending' AND created_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY;
