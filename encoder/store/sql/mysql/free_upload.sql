-- Who wrote a piece of an upload has ended.
-- Index: uploads_pk. Locks: its row.
-- $1 id, $2 holder
UPDATE uploads SET holder = NULL, held_until = NULL WHERE id = $1 AND holder = $2;
