-- A sweep tells how far it is.
-- Index: sweeps_pk. Locks: its row.
-- $1 sweep, $2 what it removed, $3 blocked
UPDATE sweeps SET removed = $2::json, blocked = $3, seen_at = now() WHERE id = $1;
