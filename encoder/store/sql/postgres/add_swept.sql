-- What was removed is added up, by what.
-- Index: swept_pk. Locks: the sums that rise, in order.
-- $1 what and how many each
INSERT INTO swept AS s (what, removed)
SELECT what, removed FROM json_to_recordset($1::json) AS told(what text, removed bigint) ORDER BY what
ON CONFLICT ON CONSTRAINT swept_pk DO UPDATE SET removed = s.removed + excluded.removed;
