-- Put what is sealed of an endpoint under another key, unless it was changed meanwhile.
-- Index: none, the table is read whole: there are few. Locks: the endpoint.
-- $1 uuid, $2 as it was, $3 as it is
UPDATE webhook_endpoints
SET sealed_url = CASE WHEN sealed_url = $2 THEN $3 ELSE sealed_url END,
    secret = CASE WHEN secret = $2 THEN $3 ELSE secret END,
    old_secret = CASE WHEN old_secret = $2 THEN $3 ELSE old_secret END
WHERE uuid = $1;
