-- Workers that were seen lately: what they are, and how much runs on them at most.
-- Index: none; the table is as small as the fleet. Locks: none.
-- $1 seen within
SELECT version, slots, draining FROM workers WHERE seen_at > clock_timestamp() - $1::interval;
