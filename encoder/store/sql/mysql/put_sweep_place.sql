-- Keep how far a sweep has come with something.
-- Index: sweep_places_pk. Locks: its row.
-- $1 name, $2 place
INSERT INTO sweep_places (name, place, at) VALUES ($1, $2, UTC_TIMESTAMP(6))
ON DUPLICATE KEY UPDATE place = VALUES(place), at = VALUES(at);
