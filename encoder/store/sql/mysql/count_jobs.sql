-- Count jobs by state, each to 10,000.
-- Index: jobs_by_state. Locks: none.
-- $1 tenant or null, $2 states: all
  (SELECT 'queued' AS state, COUNT(*) AS jobs FROM (
    SELECT 1 FROM jobs WHERE state = 'queued' AND ($1 IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000) AS c)
  UNION ALL
  (SELECT 'processing' AS state, COUNT(*) AS jobs FROM (
    SELECT 1 FROM jobs WHERE state = 'processing' AND ($1 IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000) AS c)
  UNION ALL
  (SELECT 'completed' AS state, COUNT(*) AS jobs FROM (
    SELECT 1 FROM jobs WHERE state = 'completed' AND ($1 IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000) AS c)
  UNION ALL
  (SELECT 'failed' AS state, COUNT(*) AS jobs FROM (
    SELECT 1 FROM jobs WHERE state = 'failed' AND ($1 IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000) AS c)
  UNION ALL
  (SELECT 'cancelled' AS state, COUNT(*) AS jobs FROM (
    SELECT 1 FROM jobs WHERE state = 'cancelled' AND ($1 IS NULL OR tenant_id = $1) AND deleted_at IS NULL LIMIT 10000) AS c);
