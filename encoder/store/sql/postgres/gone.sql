-- Telling, a receiver that wants no more: the job's other deliveries to it end too. One that is being settled at this moment
-- keeps its own answer.
-- Index: webhook_deliveries_once, webhook_deliveries_pk. Locks: the deliveries, with SKIP LOCKED.
-- $1 job, $2 delivery
WITH mine AS MATERIALIZED (
  SELECT id FROM webhook_deliveries WHERE job_id = $1 AND state = 'pending'
  AND receiver = (SELECT receiver FROM webhook_deliveries WHERE id = $2) ORDER BY id FOR UPDATE SKIP LOCKED
)
UPDATE webhook_deliveries d SET state = 'gone' FROM mine WHERE d.id = mine.id;
