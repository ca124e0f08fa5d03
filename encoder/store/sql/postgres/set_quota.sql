-- Quota: how much of a queue a tenant may have from now on. The queue is known from now on, if it was not, and stays
-- locked: no admission counts by the old quota.
-- Index: queues_pk, tenant_quotas_pk. Locks: the queue, waiting for an admission; the quota.
-- $1 tenant, $2 queue, $3 cap or null, $4 share
WITH queue AS (
  INSERT INTO queues (queue) VALUES ($2)
  ON CONFLICT ON CONSTRAINT queues_pk DO UPDATE SET queue = excluded.queue RETURNING queue
)
INSERT INTO tenant_quotas (tenant_id, queue, cap, share) SELECT $1, queue, $3, $4 FROM queue
ON CONFLICT ON CONSTRAINT tenant_quotas_pk DO UPDATE SET cap = excluded.cap, share = excluded.share;
