-- A worker takes nothing new.
-- Index: workers_pk. Locks: its row.
-- $1 id
UPDATE workers SET draining = true, seen_at = UTC_TIMESTAMP(6) WHERE id = $1;
