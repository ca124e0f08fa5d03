-- Forget objects that were seen longer ago than $1: nobody tells of them any more.
-- Index: ingest_seen_age. Locks: what it removes.
-- $1 age, $2 limit
DELETE FROM ingest_seen WHERE seen_at < UTC_TIMESTAMP(6) - INTERVAL $1 MICROSECOND ORDER BY seen_at LIMIT $2;
