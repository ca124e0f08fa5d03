-- Put a pipeline of a tenant, in place of the one that has its name.
-- Index: pipelines_pk. Locks: the pipeline.
-- $1 tenant, $2 name, $3 uuid, $4 settings, $5 sealed
INSERT INTO pipelines (tenant_id, name, uuid, settings, sealed, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE uuid = $3, settings = $4, sealed = $5, updated_at = UTC_TIMESTAMP(6);
