-- Quota: how much of a queue a tenant may have from now on, if the queue is known. It stays locked: no admission counts by
-- the old quota.
-- Index: queues_pk, tenant_quotas_pk. Locks: the queue, waiting for an admission; the quota.
-- $1 tenant, $2 queue, $3 cap or null, $4 share
SELECT queue FROM queues WHERE queue = $2 FOR UPDATE;
INSERT INTO tenant_quotas (tenant_id, queue, cap, share) VALUES ($1, $2, $3, $4)
ON DUPLICATE KEY UPDATE cap = $3, share = $4;
