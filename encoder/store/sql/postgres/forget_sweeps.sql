-- Retention: forget sweeps that began longer ago than $1; how many.
-- Index: sweeps_started. Locks: what it removes.
-- $1 age
WITH gone AS (DELETE FROM sweeps WHERE started_at < now() - $1::interval RETURNING id)
SELECT count(*) AS forgotten FROM gone;
