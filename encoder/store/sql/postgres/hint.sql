-- Hint: never inside a transaction that writes, for NOTIFY takes a lock of the whole database at commit.
-- $1 channel, $2 payloads
SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload;
