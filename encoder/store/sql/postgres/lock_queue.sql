-- Admit, first: the right to decide the order of a queue, until the commit. No row: somebody else has it.
-- Index: queues_pk. Locks: the queue, with SKIP LOCKED.
-- $1 queue
SELECT paused_at IS NOT NULL AS paused FROM queues WHERE queue = $1 FOR UPDATE SKIP LOCKED;
