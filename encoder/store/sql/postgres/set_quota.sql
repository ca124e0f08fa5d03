-- Quota: how much of a queue a tenant may have from now on; one row when the queue is known. It stays locked: no admission
-- counts by the old quota.
-- Index: queues_pk, tenant_quotas_pk. Locks: the queue, waiting for an admission; the quota.
-- $1 tenant, $2 queue, $3 cap or null, $4 share
WITH known AS (
  SELECT queue FROM queues WHERE queue = $2 FOR UPDATE
)
INSERT INTO tenant_quotas (tenant_id, queue, cap, share) SELECT $1, queue, $3, $4 FROM known
ON CONFLICT ON CONSTRAINT tenant_quotas_pk DO UPDATE SET cap = excluded.cap, share = excluded.share
RETURNING queue;
