-- A worker introduces itself, once per process start; its queues are known from then on.
-- Index: workers_pk, queues_pk. Locks: its row, and new queues by their names.
-- $1 id, $2 host, $3 pid, $4 version, $5 queues, $6 slots, $7 encoders, $8 about
INSERT IGNORE INTO queues (queue)
SELECT b.queue FROM JSON_TABLE($5, '$[*]' COLUMNS (queue VARCHAR(128) PATH '$')) AS b ORDER BY b.queue;
INSERT INTO workers (id, host, pid, version, queues, slots, encoders, about, started_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE
  queues = $5, slots = $6, encoders = $7, about = $8, seen_at = UTC_TIMESTAMP(6), draining = false;
