-- Forget objects that were seen longer ago than $1: nobody tells of them any more.
-- Index: ingest_seen_age, ingest_seen_pk. Locks: what it removes, with SKIP LOCKED.
-- $1 age, $2 limit
WITH old AS MATERIALIZED (
  SELECT tenant_id, hash FROM ingest_seen WHERE seen_at < now() - $1::interval
  ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM ingest_seen s USING old WHERE s.tenant_id = old.tenant_id AND s.hash = old.hash RETURNING s.hash
)
SELECT count(*) AS forgotten FROM gone;
