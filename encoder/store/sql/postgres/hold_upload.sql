-- Let one write the next piece of an upload, unless another does. Its invitation is good for as long.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 holder, $3 for how long
UPDATE uploads SET holder = $2, held_until = now() + $3::interval, expires_at = greatest(expires_at, now() + $3::interval)
WHERE id = $1 AND purging_at IS NULL AND state = 'pending' AND ended IS NULL AND expires_at > now() AND (holder IS NULL OR held_until < now())
RETURNING id;
