-- Telling, the end of a try: what became of the delivery. The receiver may have said meanwhile, to another, that it wants
-- no more: what came of this try is noted nevertheless.
-- Index: webhook_deliveries_pk. Locks: the delivery, after the task that told it.
-- $1 delivery, $2 state, $3 whether it was tried, $4 at, $5 status, $6 error, $7 answer
UPDATE webhook_deliveries SET
  tries = tries + $3,
  tried_at = CASE WHEN $3 THEN $4 ELSE tried_at END,
  status = CASE WHEN $3 THEN $5 ELSE status END,
  error = CASE WHEN $3 THEN $6 ELSE error END,
  answer = CASE WHEN $3 THEN $7 ELSE answer END,
  delivered_at = CASE WHEN $2 = 'delivered' THEN $4 ELSE delivered_at END,
  state = CASE WHEN state = 'gone' AND $2 <> 'delivered' THEN 'gone' ELSE $2 END
WHERE id = $1;
