-- Telling, a receiver that wants no more: the job's other deliveries to it end too. One that is being settled at this moment
-- keeps its own answer.
-- Index: webhook_deliveries_once; then webhook_deliveries_pk. Locks: the deliveries by ascending id, with SKIP LOCKED.
-- $1 job, $2 delivery
SELECT id FROM webhook_deliveries WHERE job_id = $1 AND state = 'pending'
AND receiver = (SELECT receiver FROM webhook_deliveries WHERE id = $2) ORDER BY id;
-- $1 deliveries
SELECT d.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN webhook_deliveries d ON d.id = b.id
WHERE d.state = 'pending' FOR UPDATE SKIP LOCKED;
-- $1 deliveries
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN webhook_deliveries d ON d.id = b.id
SET d.state = 'gone';
