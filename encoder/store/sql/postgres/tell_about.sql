-- A worker tells how its machine is. What was lost with it is forgotten: it lives.
-- Index: workers_pk. Locks: its row.
-- $1 id, $2 about
UPDATE workers SET about = $2::json, seen_at = clock_timestamp() WHERE id = $1;
