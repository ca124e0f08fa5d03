-- Which of the chunks that some tasks wait for are being made, and how far they are.
-- Index: tasks_then, a row for each chunk; task_leases_pk, workers_pk. Locks: none.
-- $1 the tasks that wait
SELECT c.id AS task_id, c.then_id, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)) AS outputs,
       COALESCE(CAST(JSON_EXTRACT(c.args, '$.frames') AS SIGNED), 1) AS frames, l.live, l.beat_at,
       l.expires_at < UTC_TIMESTAMP(6) AS silent, l.worker_id, w.host
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks c FORCE INDEX (tasks_then) ON c.then_id = b.id AND c.state = 'running'
STRAIGHT_JOIN task_leases l ON l.task_id = c.id LEFT JOIN workers w ON w.id = l.worker_id ORDER BY c.id;
