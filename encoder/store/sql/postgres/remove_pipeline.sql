-- Remove a pipeline of a tenant. Jobs that named it have their places from it, and go on.
-- Index: pipelines_pk. Locks: the pipeline.
-- $1 tenant, $2 name
DELETE FROM pipelines WHERE tenant_id = $1 AND name = $2 RETURNING name;
