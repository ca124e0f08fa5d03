-- List workers that were seen lately, oldest first.
-- Index: none, there are as many rows as workers. Locks: none.
-- $1 within
SELECT id, host, pid, version, queues, slots, encoders, about, started_at, seen_at, draining
FROM workers WHERE seen_at > UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND ORDER BY started_at, id;
