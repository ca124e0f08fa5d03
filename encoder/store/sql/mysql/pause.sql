-- Pause a queue: nothing of it starts. It is known from now on, if it was not.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason
INSERT INTO queues (queue, paused_at, paused_because) VALUES ($1, UTC_TIMESTAMP(6), $2)
ON DUPLICATE KEY UPDATE paused_at = COALESCE(paused_at, UTC_TIMESTAMP(6)), paused_because = $2;
