-- Pause a queue: nothing of it starts; whether it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason
UPDATE queues SET paused_at = COALESCE(paused_at, UTC_TIMESTAMP(6)), paused_because = $2 WHERE queue = $1;
