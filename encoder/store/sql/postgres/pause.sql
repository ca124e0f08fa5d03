-- Pause a queue: nothing of it starts. One row when it is known.
-- Index: queues_pk. Locks: the queue, waiting for an admission.
-- $1 queue, $2 reason, "" for none: then what was said before stays, $3 what is kept of reason and name
UPDATE queues SET paused_at = coalesce(paused_at, clock_timestamp()),
  paused_because = CASE WHEN paused_at IS NULL OR $2 <> '' THEN nullif($3, '') ELSE paused_because END
WHERE queue = $1 RETURNING queue;
