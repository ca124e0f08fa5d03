-- Retention: forget sweeps that began longer ago than $1; how many.
-- Index: sweeps_started. Locks: what it removes.
-- $1 age
DELETE FROM sweeps WHERE started_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND;
