-- Admit, first: the right to decide the order of a queue, until the commit. No row: somebody else has it. Who stands still
-- with it for two seconds, as a frozen machine does, loses it with its session: nobody else could admit meanwhile.
-- Index: queues_pk. Locks: the queue, with SKIP LOCKED.
-- $1 queue
SELECT paused_at IS NOT NULL AS paused, set_config('idle_in_transaction_session_timeout', '2s', true)
FROM queues WHERE queue = $1 FOR UPDATE SKIP LOCKED;
