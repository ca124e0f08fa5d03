-- Pause a queue: nothing of it starts; whether it is known. What is set first is what those behind it see.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason, "" for none: then what was said before stays, $3 what is kept of reason and name
UPDATE queues SET
  paused_because = CASE WHEN paused_at IS NULL OR $2 <> '' THEN NULLIF($3, '') ELSE paused_because END,
  paused_at = COALESCE(paused_at, UTC_TIMESTAMP(6))
WHERE queue = $1;
