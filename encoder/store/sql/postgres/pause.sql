-- Pause a queue: nothing of it starts. One row when it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason
UPDATE queues SET paused_at = coalesce(paused_at, clock_timestamp()), paused_because = $2
WHERE queue = $1 RETURNING queue;
