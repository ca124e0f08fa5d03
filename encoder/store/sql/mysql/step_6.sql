-- Step to version 6: a tenant's own presets.
CREATE TABLE IF NOT EXISTS presets (
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  version int NOT NULL,
  about text NOT NULL,
  members longtext NOT NULL,
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT presets_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT presets_json CHECK (json_valid(members))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
