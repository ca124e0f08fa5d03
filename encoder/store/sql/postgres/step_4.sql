-- Step to version 4: work waits for its admission, operators may pause a queue or cap a tenant, and a task may wait for
-- others. What stands in line by the old order goes back to wait.
ALTER TABLE tasks ADD COLUMN result json, ADD COLUMN then_id bigint, ADD COLUMN pending integer NOT NULL DEFAULT 0;
CREATE INDEX tasks_then ON tasks (then_id) WHERE then_id IS NOT NULL;
CREATE INDEX tasks_heads ON tasks (queue, tenant_id, nice, id) WHERE state = 'waiting';
CREATE TABLE queues (
  queue text CONSTRAINT queues_pk PRIMARY KEY,
  paused_at timestamptz,
  paused_because text
);
INSERT INTO queues (queue) VALUES ('encode'), ('io');
CREATE TABLE tenant_quotas (
  tenant_id bigint NOT NULL,
  queue text NOT NULL,
  cap integer,
  share integer NOT NULL DEFAULT 1,
  CONSTRAINT tenant_quotas_pk PRIMARY KEY (tenant_id, queue)
);
WITH place AS (DELETE FROM task_ready RETURNING task_id)
UPDATE tasks t SET state = 'waiting' FROM place WHERE t.id = place.task_id AND t.state = 'ready';
