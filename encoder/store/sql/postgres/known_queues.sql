-- List the names of the queues that are known.
-- Index: none, there are as many rows as queues. Locks: none.
SELECT queue FROM queues ORDER BY queue;
