-- An upload ends without its file; the first end counts.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 how it ended, $3 code of the reason or null
UPDATE uploads
SET ended = $2, problem = $3, ended_at = now(), holder = NULL, held_until = NULL, look_at = NULL
WHERE id = $1 AND state = 'pending' AND ended IS NULL RETURNING id;
