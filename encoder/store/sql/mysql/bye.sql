-- A worker is gone.
-- Index: workers_pk. Locks: its row.
-- $1 id
DELETE FROM workers WHERE id = $1;
