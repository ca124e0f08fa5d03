-- Enqueue, where the new job is more urgent than what its tenant has in line there: that goes back to wait, so that the next
-- admission orders it.
-- Index: task_ready_pk, tasks_pk. Locks: the places with SKIP LOCKED, for who claims one has it; then their tasks.
-- $1 tenant, $2 nice, $3 queue, $4 floor
WITH behind AS MATERIALIZED (
  SELECT r.queue, r.seq FROM task_ready r JOIN tasks t ON t.id = r.task_id
  WHERE r.queue = $3 AND r.seq >= (SELECT least($4::bigint, last_value - 256) FROM tasks_id_seq)
    AND r.tenant_id = $1 AND t.nice > $2::smallint
  FOR UPDATE OF r SKIP LOCKED
), back AS (
  DELETE FROM task_ready r USING behind b WHERE (r.queue, r.seq) = (b.queue, b.seq) RETURNING r.task_id
)
UPDATE tasks t SET state = 'waiting' FROM back WHERE t.id = back.task_id AND t.state = 'ready';
