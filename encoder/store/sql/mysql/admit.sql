-- Admit, last: lock the chosen tasks, without those that were cancelled meanwhile or are about to be; they get their places
-- in line, in the order that was chosen. The places are drawn from the queue, which is locked already.
-- Index: tasks_pk, queues_pk. Locks: the tasks by ascending id, with SKIP LOCKED.
-- $1 tasks
SELECT t.id, t.queue FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
WHERE t.state = 'waiting' FOR UPDATE SKIP LOCKED;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id SET t.state = 'ready';
-- $1 tasks in their order
INSERT INTO task_ready (queue, seq, task_id, tenant_id, weight)
SELECT t.queue, q.next_seq + b.turn, t.id, t.tenant_id, t.weight
FROM JSON_TABLE($1, '$[*]' COLUMNS (turn FOR ORDINALITY, id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks t ON t.id = b.id STRAIGHT_JOIN queues q ON q.queue = t.queue;
-- $1 queue, $2 how many
UPDATE queues SET next_seq = next_seq + $2 WHERE queue = $1;
