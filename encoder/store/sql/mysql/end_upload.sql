-- An upload ends without its file; the first end counts. One ends for its time only while nobody writes a piece of it.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 how it ended, $3 code of the reason or null, $4 only if its invitation is over for so long, or null
UPDATE uploads
SET ended = $2, problem = $3, ended_at = UTC_TIMESTAMP(6), holder = NULL, held_until = NULL, look_at = NULL
WHERE id = $1 AND state = 'pending' AND ended IS NULL
  AND ($4 IS NULL
       OR (expires_at < UTC_TIMESTAMP(6) - INTERVAL $4 MICROSECOND AND (held_until IS NULL OR held_until < UTC_TIMESTAMP(6))));
