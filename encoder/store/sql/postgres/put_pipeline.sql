-- Put a pipeline of a tenant, in place of the one that has its name.
-- Index: pipelines_pk. Locks: the pipeline.
-- $1 tenant, $2 name, $3 uuid, $4 settings, $5 sealed
INSERT INTO pipelines (tenant_id, name, uuid, settings, sealed, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, now(), now())
ON CONFLICT ON CONSTRAINT pipelines_pk DO UPDATE SET
  uuid = excluded.uuid, settings = excluded.settings, sealed = excluded.sealed, updated_at = excluded.updated_at
RETURNING tenant_id, name, uuid, settings, sealed, created_at, updated_at;
