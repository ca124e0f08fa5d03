-- Count the newest tasks by queue: how many of them came lately; with the age of the oldest that was looked at.
-- Index: tasks_pk, from its end on. Reads: $1 tasks at most. Locks: none.
-- $1 how many are looked at, $2 within
SELECT queue, COUNT(*) AS looked, COUNT(IF(created_at > UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND, 1, NULL)) AS arrived,
  TIMESTAMPDIFF(MICROSECOND, MIN(created_at), UTC_TIMESTAMP(6)) / 1000000 AS oldest_seconds
FROM (SELECT queue, created_at FROM tasks ORDER BY id DESC LIMIT $1) AS newest GROUP BY queue;
