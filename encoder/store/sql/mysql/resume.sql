-- Resume a queue; whether it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue
UPDATE queues SET paused_at = NULL, paused_because = NULL WHERE queue = $1;
