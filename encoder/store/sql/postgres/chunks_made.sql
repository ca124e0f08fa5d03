-- How far the chunks are that some tasks wait for: how many there are in each state, and how many frames they have, for
-- each set of outputs that they are of. `chunks`: in all, those of earlier runs among them.
-- Index: tasks_then, a row for each chunk; tasks_pk. Locks: none.
-- $1 the tasks that wait
SELECT g.*, coalesce((a.args->>'chunks')::integer, 0) AS chunks
FROM (
  SELECT c.then_id, c.args->>'outputs' AS outputs, c.state, count(*) AS parts,
         sum(coalesce((c.args->>'frames')::bigint, 1))::bigint AS frames
  FROM unnest($1::bigint[]) AS b(id) JOIN tasks c ON c.then_id = b.id GROUP BY 1, 2, 3
) AS g JOIN tasks a ON a.id = g.then_id;
