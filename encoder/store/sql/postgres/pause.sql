-- Pause a queue: nothing of it starts. It is known from now on, if it was not.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason
INSERT INTO queues (queue, paused_at, paused_because) VALUES ($1, clock_timestamp(), $2)
ON CONFLICT ON CONSTRAINT queues_pk DO UPDATE SET
  paused_at = coalesce(queues.paused_at, excluded.paused_at), paused_because = excluded.paused_because;
