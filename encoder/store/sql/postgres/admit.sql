-- Admit, last: the chosen tasks get their places in line, in this order; how many did. One that was cancelled meanwhile,
-- or is about to be, is left out.
-- Index: tasks_pk. Locks: the tasks, with SKIP LOCKED; the queue is locked already.
-- $1 tasks
WITH mine AS MATERIALIZED (
  SELECT t.id, chosen.turn FROM unnest($1::bigint[]) WITH ORDINALITY AS chosen(id, turn) JOIN tasks t ON t.id = chosen.id
  WHERE t.state = 'waiting' ORDER BY chosen.turn FOR UPDATE OF t SKIP LOCKED
), opened AS (
  UPDATE tasks t SET state = 'ready' FROM mine WHERE t.id = mine.id
  RETURNING t.id, t.queue, t.tenant_id, t.weight, mine.turn
), line AS (
  INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
  SELECT queue, nextval('tasks_id_seq'), id, tenant_id, weight FROM (SELECT * FROM opened ORDER BY turn) AS turned
)
SELECT count(*) AS admitted FROM opened;
