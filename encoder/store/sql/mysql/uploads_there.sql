-- Retention: which of these uploads there are, and which may still come.
-- Index: uploads_pk. Locks: none.
-- $1 uploads
SELECT u.id, u.state = 'pending' AND u.ended IS NULL AS live
FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b STRAIGHT_JOIN uploads u ON u.id = UNHEX(b.id);
