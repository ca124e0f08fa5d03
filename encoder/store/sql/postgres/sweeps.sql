-- List sweeps, the newest first.
-- Index: sweeps_pk. Locks: none.
-- $1 limit
SELECT id, host, version, policy, started_at, seen_at, ended_at, outcome, removed, blocked, overdue, problem, now() AS read_at
FROM sweeps ORDER BY id DESC LIMIT $1;
