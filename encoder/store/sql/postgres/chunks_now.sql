-- Which of the chunks that some tasks wait for are being made, and how far they are.
-- Index: tasks_then, a row for each chunk; task_leases_pk, workers_pk. Locks: none.
-- $1 the tasks that wait
SELECT c.id AS task_id, c.then_id, c.args->>'outputs' AS outputs, coalesce((c.args->>'frames')::bigint, 1) AS frames, l.live, l.beat_at,
       l.expires_at < clock_timestamp() AS silent, l.worker_id, w.host
FROM unnest($1::bigint[]) AS b(id) JOIN tasks c ON c.then_id = b.id AND c.state = 'running'
JOIN task_leases l ON l.task_id = c.id LEFT JOIN workers w ON w.id = l.worker_id ORDER BY c.id;
