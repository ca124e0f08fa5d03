-- How far the chunks are that some tasks wait for, in one snapshot: first each of those tasks, with how many chunks there are,
-- those of earlier runs among them. Then the chunks that are being made one by one; of the others how many there are in each
-- state, and how many frames they have, for each set of outputs that they are of.
-- Index: tasks_then, a row for each chunk; tasks_pk, task_leases_pk, workers_pk. Locks: none.
-- $1 the tasks that wait
WITH c AS MATERIALIZED (
  SELECT p.id, p.then_id, p.args->>'outputs' AS outputs, p.state, coalesce((p.args->>'frames')::bigint, 1) AS frames
  FROM unnest($1::bigint[]) AS b(id) JOIN tasks p ON p.then_id = b.id
)
SELECT t.id AS then_id, coalesce((t.args->>'chunks')::integer, 0) AS chunks, NULL AS outputs, t.state, 0 AS parts, 0::bigint AS frames,
       NULL::bigint AS task_id, NULL::json AS live, NULL::timestamptz AS beat_at, NULL::boolean AS silent, NULL::uuid AS worker_id,
       NULL AS host
FROM unnest($1::bigint[]) AS b(id) JOIN tasks t ON t.id = b.id
UNION ALL
SELECT c.then_id, 0, c.outputs, c.state, 1, c.frames, c.id, l.live, l.beat_at, l.expires_at < clock_timestamp(), l.worker_id, w.host
FROM c LEFT JOIN task_leases l ON l.task_id = c.id LEFT JOIN workers w ON w.id = l.worker_id WHERE c.state = 'running'
UNION ALL
SELECT c.then_id, 0, c.outputs, c.state, count(*)::integer, sum(c.frames)::bigint, NULL, NULL, NULL, NULL, NULL, NULL
FROM c WHERE c.state <> 'running' GROUP BY c.then_id, c.outputs, c.state;
