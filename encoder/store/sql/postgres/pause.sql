-- Pause a queue: nothing of it starts. One row when it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason, "" for none: then the one that was said stays
UPDATE queues SET paused_at = coalesce(paused_at, clock_timestamp()), paused_because = coalesce(nullif($2, ''), paused_because)
WHERE queue = $1 RETURNING queue;
