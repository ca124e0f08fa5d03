-- Step to version 6: a tenant's own presets; what removed jobs have used; endpoints that are told of all jobs of a tenant;
-- an upload may come in pieces, ends without a file, and becomes a job by itself; pipelines.
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

-- What removed jobs have used.
CREATE TABLE IF NOT EXISTS removed_usage (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  preset varchar(64) NOT NULL,
  jobs bigint NOT NULL,
  outputs bigint NOT NULL,
  output_seconds double NOT NULL,
  cpu_seconds double NOT NULL,
  delivered_bytes bigint NOT NULL,
  CONSTRAINT removed_usage_pk PRIMARY KEY (tenant_id, day, preset)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- An event has one delivery per receiver. The program before this one knows one receiver per job, whose name is empty.
ALTER TABLE webhook_deliveries ADD COLUMN receiver varchar(64) NOT NULL DEFAULT '';
ALTER TABLE webhook_deliveries DROP INDEX webhook_deliveries_once,
  ADD CONSTRAINT webhook_deliveries_once UNIQUE (job_id, event_seq, receiver);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (tenant_id, state, id);
CREATE TABLE IF NOT EXISTS webhook_endpoints (
  id bigint NOT NULL AUTO_INCREMENT,
  uuid binary(16) NOT NULL,
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  receiver longtext NOT NULL,
  enabled boolean NOT NULL,
  sealed_url longblob NOT NULL,
  secret longblob NOT NULL,
  secret_at datetime(6) NOT NULL,
  old_secret longblob,
  old_secret_until datetime(6),
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT webhook_endpoints_pk PRIMARY KEY (id),
  CONSTRAINT webhook_endpoints_once UNIQUE (tenant_id, name),
  CONSTRAINT webhook_endpoints_json CHECK (json_valid(receiver))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

ALTER TABLE uploads ADD COLUMN protocol varchar(16) NOT NULL DEFAULT 'put';
ALTER TABLE uploads ADD COLUMN offset_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN multipart text;
ALTER TABLE uploads ADD COLUMN holder binary(16);
ALTER TABLE uploads ADD COLUMN held_until datetime(6);
ALTER TABLE uploads ADD COLUMN ended varchar(16);
ALTER TABLE uploads ADD COLUMN problem varchar(64);
ALTER TABLE uploads ADD COLUMN ended_at datetime(6);
ALTER TABLE uploads ADD COLUMN look_at datetime(6);
ALTER TABLE uploads ADD CONSTRAINT uploads_ended_known CHECK (ended IN ('failed', 'cancelled'));
CREATE INDEX uploads_to_look ON uploads (look_at);
CREATE INDEX uploads_by_age ON uploads (created_at, id);
CREATE TABLE IF NOT EXISTS upload_jobs (
  upload_id binary(16) NOT NULL,
  tenant_id bigint NOT NULL,
  uuid binary(16) NOT NULL,
  spec longtext NOT NULL,
  label text NOT NULL,
  sealed longblob,
  max_attempts smallint NOT NULL,
  CONSTRAINT upload_jobs_pk PRIMARY KEY (upload_id),
  CONSTRAINT upload_jobs_json CHECK (json_valid(spec))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS pipelines (
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  uuid binary(16) NOT NULL,
  settings longtext NOT NULL,
  sealed longblob,
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT pipelines_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT pipelines_json CHECK (json_valid(settings))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Ingest rules, and what they have seen.
CREATE TABLE IF NOT EXISTS ingest_rules (
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  version int NOT NULL,
  uuid binary(16) NOT NULL,
  spec longtext NOT NULL,
  sealed longblob,
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT ingest_rules_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT ingest_rules_json CHECK (json_valid(spec))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
CREATE TABLE IF NOT EXISTS ingest_seen (
  tenant_id bigint NOT NULL,
  hash varbinary(32) NOT NULL,
  rule varchar(64) NOT NULL,
  job_id bigint,
  seen_at datetime(6) NOT NULL,
  CONSTRAINT ingest_seen_pk PRIMARY KEY (tenant_id, hash),
  INDEX ingest_seen_age (seen_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
