-- A worker introduces itself, once per process start.
-- Index: workers_pk. Locks: its row.
-- $1 id, $2 host, $3 pid, $4 version, $5 queues, $6 slots, $7 encoders, $8 about
INSERT INTO workers (id, host, pid, version, queues, slots, encoders, about, started_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE
  queues = $5, slots = $6, encoders = $7, about = $8, seen_at = UTC_TIMESTAMP(6), draining = false;
