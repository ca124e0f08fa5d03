-- Step to version 4: work waits for its admission, operators may pause a queue or cap a tenant, and a task may wait for
-- others. What stands in line by the old order goes back to wait.
ALTER TABLE tasks ADD COLUMN result longtext AFTER problem;
ALTER TABLE tasks ADD COLUMN then_id bigint AFTER result;
ALTER TABLE tasks ADD COLUMN pending int NOT NULL DEFAULT 0 AFTER then_id;
ALTER TABLE tasks DROP CONSTRAINT tasks_json;
ALTER TABLE tasks ADD CONSTRAINT tasks_json CHECK (json_valid(args) AND json_valid(problem) AND json_valid(result));
CREATE INDEX tasks_then ON tasks (then_id);
CREATE INDEX tasks_heads ON tasks (state, queue, tenant_id, nice, id);
CREATE TABLE IF NOT EXISTS queues (
  queue varchar(128) NOT NULL,
  next_seq bigint NOT NULL DEFAULT 1,
  paused_at datetime(6),
  paused_because text,
  CONSTRAINT queues_pk PRIMARY KEY (queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
INSERT IGNORE INTO queues (queue) VALUES ('encode'), ('io');
CREATE TABLE IF NOT EXISTS tenant_quotas (
  tenant_id bigint NOT NULL,
  queue varchar(128) NOT NULL,
  cap int,
  share int NOT NULL DEFAULT 1,
  CONSTRAINT tenant_quotas_pk PRIMARY KEY (tenant_id, queue)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
UPDATE tasks t JOIN task_ready r ON r.task_id = t.id SET t.state = 'waiting' WHERE t.state = 'ready';
DELETE FROM task_ready;
