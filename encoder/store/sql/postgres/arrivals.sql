-- Count the newest tasks by queue: how many of them came lately; with the age of the oldest that was looked at.
-- Index: tasks_pk, from its end on. Reads: $1 tasks at most. Locks: none.
-- $1 how many are looked at, $2 within
WITH newest AS MATERIALIZED (SELECT queue, created_at FROM tasks ORDER BY id DESC LIMIT $1)
SELECT queue, count(*) AS looked, count(*) FILTER (WHERE created_at > now() - $2::interval) AS arrived,
  extract(epoch FROM now() - min(created_at))::double precision AS oldest_seconds
FROM newest GROUP BY queue;
