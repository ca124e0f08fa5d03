-- How far the chunks are that some tasks wait for: how many there are in each state, and how many frames they have, for
-- each set of outputs that they are of. `chunks`: in all, those of earlier runs among them.
-- Index: tasks_then, a row for each chunk; tasks_pk. Locks: none.
-- $1 the tasks that wait
SELECT g.then_id, g.outputs, g.state, g.parts, g.frames, COALESCE(CAST(JSON_EXTRACT(a.args, '$.chunks') AS SIGNED), 0) AS chunks
FROM (
  SELECT c.then_id, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)) AS outputs, c.state, COUNT(*) AS parts,
         CAST(SUM(COALESCE(CAST(JSON_EXTRACT(c.args, '$.frames') AS SIGNED), 1)) AS SIGNED) AS frames
  FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
  STRAIGHT_JOIN tasks c FORCE INDEX (tasks_then) ON c.then_id = b.id
  GROUP BY c.then_id, CAST(JSON_EXTRACT(c.args, '$.outputs') AS CHAR(1024)), c.state
) AS g STRAIGHT_JOIN tasks a ON a.id = g.then_id;
