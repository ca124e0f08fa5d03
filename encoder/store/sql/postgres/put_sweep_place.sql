-- Keep how far a sweep has come with something.
-- Index: sweep_places_pk. Locks: its row.
-- $1 name, $2 place
INSERT INTO sweep_places (name, place, at) VALUES ($1, $2, now())
ON CONFLICT ON CONSTRAINT sweep_places_pk DO UPDATE SET place = excluded.place, at = excluded.at;
