-- Step to version 6: a tenant's own presets.
CREATE TABLE presets (
  tenant_id bigint NOT NULL,
  name text NOT NULL,
  version integer NOT NULL,
  about text NOT NULL,
  members json NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT presets_pk PRIMARY KEY (tenant_id, name)
);
