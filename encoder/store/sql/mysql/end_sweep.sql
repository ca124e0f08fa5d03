-- A sweep has ended.
-- Index: sweeps_pk. Locks: its row.
-- $1 sweep, $2 outcome, $3 overdue, $4 problem or null
UPDATE sweeps SET outcome = $2, overdue = $3, problem = $4, seen_at = UTC_TIMESTAMP(6), ended_at = UTC_TIMESTAMP(6) WHERE id = $1;
