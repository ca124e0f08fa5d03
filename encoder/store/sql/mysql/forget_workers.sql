-- Retention: forget workers that were not seen for longer than $1, and hold no lease; how many.
-- Index: none, there are as many rows as workers. Locks: what it removes.
-- $1 age
DELETE FROM workers WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND
  AND NOT EXISTS (SELECT 1 FROM task_leases l WHERE l.worker_id = workers.id);
