-- Pause a queue: nothing of it starts; whether it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason, "" for none: then the one that was said stays
UPDATE queues SET paused_at = COALESCE(paused_at, UTC_TIMESTAMP(6)), paused_because = COALESCE(NULLIF($2, ''), paused_because)
WHERE queue = $1;
