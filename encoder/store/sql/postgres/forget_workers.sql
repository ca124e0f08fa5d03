-- Retention: forget workers that were not seen for longer than $1, and hold no lease; how many.
-- Index: none, there are as many rows as workers. Locks: what it removes.
-- $1 age
WITH gone AS (
  DELETE FROM workers w WHERE seen_at < now() - $1::interval
    AND NOT EXISTS (SELECT FROM task_leases l WHERE l.worker_id = w.id) RETURNING id
)
SELECT count(*) AS forgotten FROM gone;
