-- A sweep begins.
-- Index: sweeps_pk. Locks: none but the new row.
-- $1 host, $2 version, $3 policy
INSERT INTO sweeps (host, version, policy, started_at, seen_at, removed)
VALUES ($1, $2, $3, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), '{}');
