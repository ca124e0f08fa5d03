-- Step to version 7: what has had its time goes, and each sweep is kept; a schema says which programs may still use it.
-- compatible from: 6
ALTER TABLE schema_version ADD COLUMN compatible_from int NOT NULL DEFAULT 1, ALGORITHM=INSTANT;

-- What retention marks.
ALTER TABLE jobs ADD COLUMN purging_at datetime(6), ALGORITHM=INSTANT;
CREATE INDEX jobs_purging ON jobs (purging_at, id) ALGORITHM=INPLACE LOCK=NONE;
ALTER TABLE uploads ADD COLUMN purging_at datetime(6), ALGORITHM=INSTANT;

CREATE TABLE IF NOT EXISTS sweeps (
  id bigint NOT NULL AUTO_INCREMENT,
  host text NOT NULL,
  version varchar(64) NOT NULL,
  policy longtext NOT NULL,
  started_at datetime(6) NOT NULL,
  seen_at datetime(6) NOT NULL,
  ended_at datetime(6),
  outcome varchar(16),
  removed longtext NOT NULL,
  blocked bigint NOT NULL DEFAULT 0,
  overdue bigint NOT NULL DEFAULT 0,
  problem text,
  CONSTRAINT sweeps_pk PRIMARY KEY (id),
  CONSTRAINT sweeps_outcome_known CHECK (outcome IN ('done', 'more', 'failed')),
  CONSTRAINT sweeps_json CHECK (json_valid(policy) AND json_valid(removed)),
  INDEX sweeps_started (started_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS swept (
  what varchar(32) NOT NULL,
  removed bigint NOT NULL,
  CONSTRAINT swept_pk PRIMARY KEY (what)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS sweep_places (
  name varchar(32) NOT NULL,
  place text NOT NULL,
  at datetime(6) NOT NULL,
  CONSTRAINT sweep_places_pk PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
