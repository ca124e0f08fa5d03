-- How far the chunks are that some tasks wait for, in one snapshot: first each of those tasks, with how many chunks there are,
-- those of earlier runs among them. Then the chunks that are being made one by one; of the others how many there are in each
-- state, and how many frames they have, for each set of outputs that they are of.
-- Index: tasks_then, a row for each chunk, twice; tasks_pk, task_leases_pk, workers_pk. Locks: none.
-- $1 the tasks that wait
SELECT t.id AS then_id, COALESCE(CAST(JSON_EXTRACT(t.args, '$.chunks') AS SIGNED), 0) AS chunks, NULL AS outputs, t.state, 0 AS parts,
       0 AS frames, NULL AS task_id, NULL AS live, NULL AS beat_at, NULL AS silent, NULL AS worker_id, NULL AS host
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
UNION ALL
SELECT c.then_id, 0, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)), c.state, 1,
       COALESCE(CAST(JSON_EXTRACT(c.args, '$.frames') AS SIGNED), 1), c.id, l.live, l.beat_at,
       l.expires_at < UTC_TIMESTAMP(6), l.worker_id, w.host
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks c FORCE INDEX (tasks_then) ON c.then_id = b.id AND c.state = 'running'
LEFT JOIN task_leases l ON l.task_id = c.id LEFT JOIN workers w ON w.id = l.worker_id
UNION ALL
SELECT c.then_id, 0, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)), c.state, COUNT(*),
       CAST(SUM(COALESCE(CAST(JSON_EXTRACT(c.args, '$.frames') AS SIGNED), 1)) AS SIGNED), NULL, NULL, NULL, NULL, NULL, NULL
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks c FORCE INDEX (tasks_then) ON c.then_id = b.id AND c.state <> 'running'
GROUP BY c.then_id, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)), c.state;
