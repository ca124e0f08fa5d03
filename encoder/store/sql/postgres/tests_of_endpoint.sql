-- Clear a webhook endpoint's tests, but for those that still wait for something and the last day's; and number the next one.
-- Index: webhook_deliveries_once, tasks_name_once. Locks: what it removes; the endpoint is held already.
-- $1 minus the endpoint
WITH old AS (
  DELETE FROM webhook_deliveries
  WHERE job_id = $1 AND state <> 'pending' AND created_at < now() - interval '1 day' RETURNING id
), done AS (
  DELETE FROM tasks USING old
  WHERE job_id = $1 AND (name = 'n/' || old.id OR name LIKE 'n/' || old.id || '/%') AND state IN ('done', 'failed', 'cancelled')
)
SELECT coalesce(max(event_seq), 0) + 1 AS seq, clock_timestamp() AS at FROM webhook_deliveries WHERE job_id = $1;
