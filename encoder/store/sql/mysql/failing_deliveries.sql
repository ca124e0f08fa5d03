-- Count what receivers of a tenant's were not told though it was tried more than once: of the newest $2 that are still to
-- be told, and of the newest $2 that were given up, those of the last hour.
-- Index: webhook_deliveries_by_state, from its newest on. Reads: $2 of each at most. Locks: none.
-- $1 tenant, $2 how many are looked at
SELECT COUNT(*) AS deliveries, MIN(created_at) AS since FROM (
  (SELECT state, tries, created_at, tried_at FROM webhook_deliveries FORCE INDEX (webhook_deliveries_by_state)
   WHERE tenant_id = $1 AND state = 'pending' ORDER BY id DESC LIMIT $2)
  UNION ALL
  (SELECT state, tries, created_at, tried_at FROM webhook_deliveries FORCE INDEX (webhook_deliveries_by_state)
   WHERE tenant_id = $1 AND state = 'exhausted' ORDER BY id DESC LIMIT $2)
) AS looked
WHERE CASE state WHEN 'pending' THEN tries > 1 ELSE tried_at > UTC_TIMESTAMP(6) - INTERVAL 1 HOUR END;
