-- Step to version 5: keys of the API.
CREATE TABLE IF NOT EXISTS api_keys (
  id bigint NOT NULL AUTO_INCREMENT,
  tenant_id bigint NOT NULL,
  name text NOT NULL,
  prefix varchar(32) NOT NULL,
  hash varbinary(32) NOT NULL,
  scopes varchar(128) NOT NULL,
  created_at datetime(6) NOT NULL,
  expires_at datetime(6),
  used_at datetime(6),
  revoked_at datetime(6),
  CONSTRAINT api_keys_pk PRIMARY KEY (id),
  CONSTRAINT api_keys_hash_once UNIQUE (hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
