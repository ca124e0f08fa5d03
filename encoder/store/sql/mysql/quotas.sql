-- The quotas that operators have set.
-- Index: tenant_quotas_pk, all of it. Locks: none.
SELECT tenant_id, queue, cap, share FROM tenant_quotas ORDER BY queue, tenant_id;
