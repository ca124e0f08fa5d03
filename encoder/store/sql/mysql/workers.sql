-- List workers that were seen lately, oldest first; `unseen`: not for so long that they are not alive.
-- Index: none, there are as many rows as workers. Locks: none.
-- $1 within, $2 alive within
SELECT id, host, pid, version, queues, slots, encoders, about, started_at, seen_at, draining,
  seen_at <= UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND AS unseen
FROM workers WHERE seen_at > UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND ORDER BY started_at, id;
