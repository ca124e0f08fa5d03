-- The schema of Encoder on MySQL 8 and MariaDB from 10.6, version 7: the twin of schema.sql at the root, which a test holds
-- beside it. A new database gets this file; an older one the numbered steps of ../../mysql/migrate.py that bring it here.
-- All times are the database's, UTC. No logic is stored in the database.
--
-- What differs: there are no arrays and no indexes over a part of a table, so tags stand in a table of their own, too, and
-- some indexes begin with the state. JSON is text that the server has checked, for its own type would reorder members.
-- Names of callers' that must be told apart are bytes, for texts compare without the blanks at their end. Each statement
-- may run twice, for the server commits with each: a start that was killed in between is taken up again.
--
-- No foreign keys: on hot rows they cost share locks, and what belongs to a job is written and removed under the lock
-- of its row in `jobs`.

-- Which steps this database has seen.
CREATE TABLE IF NOT EXISTS schema_version (
  version int NOT NULL,
  applied_at datetime(6) NOT NULL,
  compatible_from int NOT NULL DEFAULT 1,       -- programs that were made for this version or a later one may use it still
  CONSTRAINT schema_version_pk PRIMARY KEY (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What a caller asked for: one source, 1..n outputs, options. Every change to what belongs to a job locks this row first.
CREATE TABLE IF NOT EXISTS jobs (
  id bigint NOT NULL AUTO_INCREMENT,
  uuid binary(16) NOT NULL,
  tenant_id bigint NOT NULL,
  state varchar(16) NOT NULL,
  run int NOT NULL DEFAULT 1,                  -- counted up by each retry
  cancel_requested boolean NOT NULL DEFAULT false,
  event_seq int NOT NULL DEFAULT 0,            -- the last number given to an event of this job
  spec longtext NOT NULL,                      -- the job as validated, without its secrets
  label text NOT NULL,                         -- the source's name as people know it
  tags longtext NOT NULL,                      -- for search and show; `job_tags` is how they are found
  sealed longblob,                             -- its secrets, encrypted
  secrets_erased_at datetime(6),               -- when `sealed` was emptied; such a job cannot run again
  idempotency_key varbinary(255),              -- emptied after 24 h
  body_hash varbinary(64),                     -- of the request that brought the key
  media longtext,                              -- the facts of the source, once probed
  problem longtext,                            -- why it failed
  created_at datetime(6) NOT NULL,
  started_at datetime(6),                      -- of this run
  finished_at datetime(6),                     -- of this run
  deleted_at datetime(6),                      -- hidden since; the rows go when no task is live
  purging_at datetime(6),                      -- its time is over since; its objects go, and then its rows
  CONSTRAINT jobs_pk PRIMARY KEY (id),
  CONSTRAINT jobs_uuid_once UNIQUE (uuid),
  CONSTRAINT jobs_key_once UNIQUE (tenant_id, idempotency_key),
  CONSTRAINT jobs_state_known CHECK (state IN ('queued', 'processing', 'completed', 'failed', 'cancelled')),
  CONSTRAINT jobs_json CHECK (
    json_valid(spec) AND json_valid(tags) AND json_valid(media) AND json_valid(problem)),
  INDEX jobs_by_state (state, tenant_id, id),
  INDEX jobs_with_secrets (secrets_erased_at, finished_at),
  INDEX jobs_created (created_at),
  INDEX jobs_ended (finished_at, id),
  INDEX jobs_deleted (deleted_at, id),
  INDEX jobs_purging (purging_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- The tags of a job, to find it by; on PostgreSQL an index over jobs.tags. Written with the job.
CREATE TABLE IF NOT EXISTS job_tags (
  tenant_id bigint NOT NULL,
  tag varbinary(1024) NOT NULL,                -- UTF-8
  job_id bigint NOT NULL,
  CONSTRAINT job_tags_pk PRIMARY KEY (tenant_id, tag, job_id),
  INDEX job_tags_of (job_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- One deliverable of a job, told apart by its position in the job's spec.
CREATE TABLE IF NOT EXISTS job_outputs (
  job_id bigint NOT NULL,
  position int NOT NULL,
  state varchar(16) NOT NULL,
  attempts int NOT NULL DEFAULT 0,             -- of this run, that touched it
  plan longtext,
  command longtext,                            -- ffmpeg's argv
  intent longtext,                             -- what is about to be published; written before the upload
  delivered longtext,                          -- what stands at its place; written after it
  proof longtext,
  problem longtext,                            -- while it stands `failed`
  warnings longtext,
  timings longtext,
  log longtext,                                -- what ffmpeg said in the last attempt
  updated_at datetime(6) NOT NULL,
  CONSTRAINT job_outputs_pk PRIMARY KEY (job_id, position),
  CONSTRAINT job_outputs_state_known CHECK (
    state IN ('queued', 'encoding', 'verifying', 'uploading', 'uploaded', 'failed', 'cancelled')),
  CONSTRAINT job_outputs_json CHECK (
    json_valid(plan) AND json_valid(command) AND json_valid(intent)
    AND json_valid(delivered) AND json_valid(proof)
    AND json_valid(problem) AND json_valid(warnings)
    AND json_valid(timings))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- One claimable piece of work of a job; durable, and the truth about the two hot tables below.
CREATE TABLE IF NOT EXISTS tasks (
  id bigint NOT NULL AUTO_INCREMENT,
  job_id bigint NOT NULL,
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,                   -- 't1': root of run 1; 't1/3': a part of it; 'n/7': tells delivery 7
  kind varchar(32) NOT NULL,                   -- transcode, notify
  queue varchar(128) NOT NULL,                 -- encode, io, or an operator's own
  nice smallint NOT NULL DEFAULT 0,            -- = -priority, so that every order is ascending; among one tenant's
  weight smallint NOT NULL DEFAULT 1,          -- what it counts against caps
  state varchar(16) NOT NULL,
  run_at datetime(6) NOT NULL,                 -- since when, or from when, it may run
  epoch bigint NOT NULL DEFAULT 0,             -- the fencing token: one more at each claim, never reset
  attempt smallint NOT NULL DEFAULT 0,         -- claims that were not given back
  max_attempts smallint NOT NULL,
  lost smallint NOT NULL DEFAULT 0,            -- leases that ran out; they do not count as failures
  released smallint NOT NULL DEFAULT 0,        -- claims that were given back
  args longtext NOT NULL,
  problem longtext,                            -- why the last attempt did not end well
  result longtext,                             -- what a part has made, for the task behind it
  then_id bigint,                              -- the task that opens when all its parts are done
  pending int NOT NULL DEFAULT 0,              -- how many parts it still waits for
  created_at datetime(6) NOT NULL,
  started_at datetime(6),                      -- of the last claim
  finished_at datetime(6),
  CONSTRAINT tasks_pk PRIMARY KEY (id),
  CONSTRAINT tasks_name_once UNIQUE (job_id, name),  -- a second split or retry cannot insert; also "the tasks of a job"
  CONSTRAINT tasks_state_known CHECK (
    state IN ('blocked', 'waiting', 'ready', 'running', 'scheduled', 'done', 'failed', 'cancelled')),
  CONSTRAINT tasks_json CHECK (json_valid(args) AND json_valid(problem) AND json_valid(result)),
  INDEX tasks_due (state, run_at),
  INDEX tasks_heads (state, queue, tenant_id, nice, id),
  INDEX tasks_then (then_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Where work stands in line. Who decides the order of one holds its row meanwhile.
CREATE TABLE IF NOT EXISTS queues (
  queue varchar(128) NOT NULL,
  next_seq bigint NOT NULL DEFAULT 1,          -- the next place in line, but for its turn
  paused_at datetime(6),                       -- nothing of it starts since
  paused_because text,
  CONSTRAINT queues_pk PRIMARY KEY (queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
INSERT IGNORE INTO queues (queue) VALUES ('encode'), ('io');

-- How much of a queue a tenant may have. Without a row: no cap, and one share as everybody.
CREATE TABLE IF NOT EXISTS tenant_quotas (
  tenant_id bigint NOT NULL,
  queue varchar(128) NOT NULL,
  cap int,                                     -- weights in line and running at most; null: no limit
  share int NOT NULL DEFAULT 1,                -- of what is given out, beside the shares of the others that wait
  CONSTRAINT tenant_quotas_pk PRIMARY KEY (tenant_id, queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Next in line: a few, for who is admitted no longer minds priorities. The key is the order of claims, and only rises. A
-- row whose task was cancelled or removed is a tombstone, dropped by the claim that meets it.
CREATE TABLE IF NOT EXISTS task_ready (
  queue varchar(128) NOT NULL,
  seq bigint NOT NULL,                         -- rises from admission to admission
  task_id bigint NOT NULL,
  tenant_id bigint NOT NULL,
  weight smallint NOT NULL,
  CONSTRAINT task_ready_pk PRIMARY KEY (queue, seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Alive on a worker; as many rows as busy slots. No index on a column that beats write.
CREATE TABLE IF NOT EXISTS task_leases (
  task_id bigint NOT NULL,
  epoch bigint NOT NULL,
  worker_id binary(16) NOT NULL,
  queue varchar(128) NOT NULL,
  tenant_id bigint NOT NULL,
  weight smallint NOT NULL,
  expires_at datetime(6) NOT NULL,
  deadline_at datetime(6) NOT NULL,
  beat_at datetime(6) NOT NULL,
  stage varchar(64),
  live longtext,                               -- per output: stage, progress, speed
  cancel boolean NOT NULL DEFAULT false,
  CONSTRAINT task_leases_pk PRIMARY KEY (task_id),
  CONSTRAINT task_leases_json CHECK (json_valid(live))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What happened to a job, in order: its timeline, live updates, and the source of webhooks.
CREATE TABLE IF NOT EXISTS job_events (
  job_id bigint NOT NULL,
  seq int NOT NULL,                            -- 1, 2, 3 … without gaps, drawn from jobs.event_seq
  type varchar(64) NOT NULL,
  at datetime(6) NOT NULL,
  run int NOT NULL,
  output int,                                  -- position, for output.*
  data longtext NOT NULL,
  task_id bigint,                              -- for task.*
  epoch bigint,
  CONSTRAINT job_events_pk PRIMARY KEY (job_id, seq),
  CONSTRAINT job_events_once_per_epoch UNIQUE (task_id, epoch, type),
  CONSTRAINT job_events_json CHECK (json_valid(data))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- One event that a receiver is told, and how that went. Written with the state that it tells of.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
  id bigint NOT NULL AUTO_INCREMENT,
  job_id bigint NOT NULL,
  tenant_id bigint NOT NULL,
  event_seq int NOT NULL,
  event_type varchar(64) NOT NULL,
  webhook_id varchar(128) NOT NULL,            -- the event's name for the receiver, the same on every try
  url text NOT NULL,                           -- without secrets
  body longtext NOT NULL,                      -- the very text that is signed, the same on every try
  state varchar(16) NOT NULL,
  tries int NOT NULL DEFAULT 0,
  status int,                                  -- HTTP, of the last try
  error longtext,
  answer longtext,                             -- the first KiB of what it said
  created_at datetime(6) NOT NULL,
  tried_at datetime(6),
  delivered_at datetime(6),
  receiver varchar(64) NOT NULL DEFAULT '',    -- the endpoint's name; empty: the job's own notificationUrl
  CONSTRAINT webhook_deliveries_pk PRIMARY KEY (id),
  CONSTRAINT webhook_deliveries_once UNIQUE (job_id, event_seq, receiver),
  CONSTRAINT webhook_deliveries_state_known CHECK (state IN ('pending', 'delivered', 'exhausted', 'gone')),
  INDEX webhook_deliveries_by_tenant (tenant_id, id),
  INDEX webhook_deliveries_by_state (tenant_id, state, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Somebody who is told of every job of a tenant. A test of one is a delivery of no job: its job_id is minus the endpoint's.
CREATE TABLE IF NOT EXISTS webhook_endpoints (
  id bigint NOT NULL AUTO_INCREMENT,
  uuid binary(16) NOT NULL,                    -- what is secret of it is sealed for this
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  receiver longtext NOT NULL,                  -- its address without secrets, what it asks for, its form
  enabled boolean NOT NULL,
  sealed_url longblob NOT NULL,                -- the whole address
  secret longblob NOT NULL,                    -- that signs, sealed
  secret_at datetime(6) NOT NULL,              -- when that was made
  old_secret longblob,                         -- the one before signs beside it
  old_secret_until datetime(6),                -- until then
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT webhook_endpoints_pk PRIMARY KEY (id),
  CONSTRAINT webhook_endpoints_once UNIQUE (tenant_id, name),
  CONSTRAINT webhook_endpoints_json CHECK (json_valid(receiver))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- A file that somebody was invited to bring into the platform's storage, and the job that was made of it.
CREATE TABLE IF NOT EXISTS uploads (
  id binary(16) NOT NULL,
  tenant_id bigint NOT NULL,
  `key` text NOT NULL,                         -- where it lies in the storage
  file_name text NOT NULL,                     -- as its owner calls it: never a path of ours
  content_type text NOT NULL,
  declared_bytes bigint,                       -- null: any size is taken
  state varchar(16) NOT NULL,
  size_bytes bigint,                           -- of what arrived
  job_id bigint,                               -- the last job that uses it
  created_at datetime(6) NOT NULL,
  expires_at datetime(6) NOT NULL,             -- of the invitation; put off by each piece that comes
  uploaded_at datetime(6),
  protocol varchar(16) NOT NULL DEFAULT 'put', -- put, post, tus
  offset_bytes bigint NOT NULL DEFAULT 0,      -- of a file that comes in pieces: so much lies in the storage for good
  multipart text,                              -- S3's name for what is open there
  holder binary(16),                           -- who is writing a piece
  held_until datetime(6),                      -- unless it is heard of again
  ended varchar(16),                           -- null: it may still come, or has
  problem varchar(64),                         -- the code of why
  ended_at datetime(6),
  look_at datetime(6),                         -- when the storage is asked for it next; null: there is no need
  purging_at datetime(6),                      -- hidden since; its objects go, and then the row
  CONSTRAINT uploads_pk PRIMARY KEY (id),
  CONSTRAINT uploads_state_known CHECK (state IN ('pending', 'uploaded')),
  CONSTRAINT uploads_ended_known CHECK (ended IN ('failed', 'cancelled')),
  INDEX uploads_to_look (look_at),
  INDEX uploads_by_age (created_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- The job that is to be made of an upload as soon as it has arrived; the row goes as the job comes.
CREATE TABLE IF NOT EXISTS upload_jobs (
  upload_id binary(16) NOT NULL,
  tenant_id bigint NOT NULL,
  uuid binary(16) NOT NULL,                    -- the job's
  spec longtext NOT NULL,                      -- as in jobs
  label text NOT NULL,
  sealed longblob,
  max_attempts smallint NOT NULL,
  CONSTRAINT upload_jobs_pk PRIMARY KEY (upload_id),
  CONSTRAINT upload_jobs_json CHECK (json_valid(spec))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Who may call the API, and what for. Of a key itself only its hash is here.
CREATE TABLE IF NOT EXISTS api_keys (
  id bigint NOT NULL AUTO_INCREMENT,
  tenant_id bigint NOT NULL,                   -- whose jobs it sees and makes
  name text NOT NULL,                          -- what its owner calls it
  prefix varchar(32) NOT NULL,                 -- its first characters, to tell it by
  hash varbinary(32) NOT NULL,                 -- SHA-256 of the whole
  scopes varchar(128) NOT NULL,                -- words with blanks between
  created_at datetime(6) NOT NULL,
  expires_at datetime(6),                      -- null: never
  used_at datetime(6),                         -- to the minute
  revoked_at datetime(6),
  CONSTRAINT api_keys_pk PRIMARY KEY (id),
  CONSTRAINT api_keys_hash_once UNIQUE (hash)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- A tenant's own presets: members of an output under a name. A job has the members themselves, and minds no later change.
CREATE TABLE IF NOT EXISTS presets (
  tenant_id bigint NOT NULL,                   -- whose jobs may name it
  name varchar(64) NOT NULL,
  version int NOT NULL,                       -- counted up by each change
  about text NOT NULL,                         -- for people
  members longtext NOT NULL,                    -- of an output, as the API has them
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT presets_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT presets_json CHECK (json_valid(members))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What jobs have used whose rows are removed: added up in the transaction that removes them. Of all others their own rows tell.
CREATE TABLE IF NOT EXISTS removed_usage (
  tenant_id bigint NOT NULL,
  day date NOT NULL,                            -- UTC, on which the jobs were submitted
  preset varchar(64) NOT NULL,                 -- '' for outputs of none
  jobs bigint NOT NULL,                        -- whose first output is of this preset
  outputs bigint NOT NULL,                     -- that were delivered; the rest is of them
  output_seconds double NOT NULL,
  cpu_seconds double NOT NULL,
  delivered_bytes bigint NOT NULL,
  CONSTRAINT removed_usage_pk PRIMARY KEY (tenant_id, day, preset)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Where jobs in Elastic Transcoder's words read from and write to, by one id.
CREATE TABLE IF NOT EXISTS pipelines (
  tenant_id bigint NOT NULL,                   -- whose jobs may name it
  name varchar(64) NOT NULL,                   -- PipelineId
  uuid binary(16) NOT NULL,                    -- new with each change; its secrets are sealed to it
  settings longtext NOT NULL,                  -- buckets and receiver, secrets taken out
  sealed longblob,                             -- its secrets, encrypted
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT pipelines_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT pipelines_json CHECK (json_valid(settings))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Which objects of a bucket become jobs, and what is made of them.
CREATE TABLE IF NOT EXISTS ingest_rules (
  tenant_id bigint NOT NULL,
  name varchar(64) NOT NULL,
  version int NOT NULL,                        -- counted up by each change
  uuid binary(16) NOT NULL,                    -- of this version: what its secrets are sealed to
  spec longtext NOT NULL,                      -- as it was put, without its secrets
  sealed longblob,                             -- its secrets, encrypted
  created_at datetime(6) NOT NULL,
  updated_at datetime(6) NOT NULL,
  CONSTRAINT ingest_rules_pk PRIMARY KEY (tenant_id, name),
  CONSTRAINT ingest_rules_json CHECK (json_valid(spec))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What was told of objects, so that it makes one job however often it is told. Kept for longer than queues keep messages.
CREATE TABLE IF NOT EXISTS ingest_seen (
  tenant_id bigint NOT NULL,
  hash varbinary(32) NOT NULL,                 -- SHA-256 of rule, origin, bucket, key and version
  rule varchar(64) NOT NULL,
  job_id bigint,                               -- what was made of it; it may have been removed since
  seen_at datetime(6) NOT NULL,
  CONSTRAINT ingest_seen_pk PRIMARY KEY (tenant_id, hash),
  INDEX ingest_seen_age (seen_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Who works: one row per process start. For people; a lease is never judged by it.
CREATE TABLE IF NOT EXISTS workers (
  id binary(16) NOT NULL,
  host text NOT NULL,
  pid int NOT NULL,
  version varchar(64) NOT NULL,
  queues longtext NOT NULL,
  slots longtext NOT NULL,                     -- per queue
  encoders longtext NOT NULL,
  about longtext NOT NULL,                     -- ffmpeg's version, sandbox layers, warnings
  started_at datetime(6) NOT NULL,
  seen_at datetime(6) NOT NULL,
  draining boolean NOT NULL DEFAULT false,
  CONSTRAINT workers_pk PRIMARY KEY (id),
  CONSTRAINT workers_json CHECK (json_valid(queues) AND json_valid(slots) AND json_valid(encoders) AND json_valid(about))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Jobs of which chunks may lie in the storage, until retention has cleared them: few, and for a short time.
CREATE TABLE IF NOT EXISTS job_chunks (
  job_id bigint NOT NULL,
  noted_at datetime(6) NOT NULL,
  CONSTRAINT job_chunks_pk PRIMARY KEY (job_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- Each time that what has had its time was swept away, and how that went.
CREATE TABLE IF NOT EXISTS sweeps (
  id bigint NOT NULL AUTO_INCREMENT,
  host text NOT NULL,
  version varchar(64) NOT NULL,
  policy longtext NOT NULL,                    -- how long what is kept, as it was set for this sweep
  started_at datetime(6) NOT NULL,
  seen_at datetime(6) NOT NULL,                -- when it was heard of last
  ended_at datetime(6),                        -- null: it works, or died
  outcome varchar(16),
  removed longtext NOT NULL,                   -- how many, by what
  blocked bigint NOT NULL DEFAULT 0,           -- jobs and uploads that stay, for the storage keeps their objects
  overdue bigint NOT NULL DEFAULT 0,           -- jobs that were left although their time is over for two hours
  problem text,                                -- why it failed, or what the storage said of what it keeps
  CONSTRAINT sweeps_pk PRIMARY KEY (id),
  CONSTRAINT sweeps_outcome_known CHECK (outcome IN ('done', 'more', 'failed')),
  CONSTRAINT sweeps_json CHECK (json_valid(policy) AND json_valid(removed)),
  INDEX sweeps_started (started_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- How many were swept away since there is this database, by what. Sweeps themselves are forgotten, these sums never fall.
CREATE TABLE IF NOT EXISTS swept (
  what varchar(32) NOT NULL,
  removed bigint NOT NULL,
  CONSTRAINT swept_pk PRIMARY KEY (what)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;

-- What one sweep tells the next: how far it came where it looks through something in parts.
CREATE TABLE IF NOT EXISTS sweep_places (
  name varchar(32) NOT NULL,
  place text NOT NULL,
  at datetime(6) NOT NULL,
  CONSTRAINT sweep_places_pk PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
