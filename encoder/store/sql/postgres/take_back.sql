-- Take back what stands in line but does not run yet, of a queue, or of one tenant in it: it waits again.
-- Index: task_ready_pk, tasks_pk. Locks: the places, waiting for a claim that has begun, then their tasks; the queue is
-- locked already.
-- $1 queue, $2 tenant or null
WITH place AS (
  DELETE FROM task_ready WHERE queue = $1 AND ($2::bigint IS NULL OR tenant_id = $2) RETURNING task_id
)
UPDATE tasks t SET state = 'waiting' FROM place WHERE t.id = place.task_id AND t.state = 'ready';
