-- List deliveries by their numbers, newest first. Each job is looked up by itself: joined, the planner may read them all, as
-- long as it has no statistics. A test has no job. Each with the time of its next try, where that is still to come.
-- Index: webhook_deliveries_pk, jobs_pk, tasks_name_once. Locks: none.
-- $1 deliveries
SELECT d.id, d.job_id, j.uuid AS job_uuid, d.tenant_id, d.webhook_id, d.event_type, d.url, d.body, d.state, d.tries,
       d.status, d.error, d.answer, d.created_at, d.tried_at, d.delivered_at, d.receiver,
       NULL::bytea AS sealed, t.run_at AS next_try_at
FROM unnest($1::bigint[]) AS wanted(id)
CROSS JOIN LATERAL (SELECT * FROM webhook_deliveries WHERE id = wanted.id OFFSET 0) d
LEFT JOIN LATERAL (SELECT uuid FROM jobs WHERE id = d.job_id OFFSET 0) j ON true
LEFT JOIN LATERAL (
  SELECT run_at FROM tasks
  WHERE job_id = d.job_id AND name = 'n/' || d.id AND state = 'scheduled' AND d.state = 'pending' OFFSET 0
) t ON true
ORDER BY d.id DESC;
