-- Read a tenant's pipeline that is about to be changed.
-- Index: pipelines_pk. Locks: the pipeline.
-- $1 tenant, $2 name
SELECT name FROM pipelines WHERE tenant_id = $1 AND name = $2 FOR UPDATE;
