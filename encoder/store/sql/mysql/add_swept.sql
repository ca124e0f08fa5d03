-- What was removed is added up, by what.
-- Index: swept_pk. Locks: the sums that rise, in order.
-- $1 what and how many each
INSERT INTO swept (what, removed)
SELECT told.what, told.removed FROM JSON_TABLE($1, '$[*]' COLUMNS (
  what VARCHAR(32) PATH '$.what', removed BIGINT PATH '$.removed')) AS told
ORDER BY told.what
ON DUPLICATE KEY UPDATE swept.removed = swept.removed + VALUES(removed);
