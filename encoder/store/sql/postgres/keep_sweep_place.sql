-- Keep what is told of something, unless something is told already: two at once then hold to the same.
-- Index: sweep_places_pk. Locks: its row.
-- $1 name, $2 place
INSERT INTO sweep_places (name, place, at) VALUES ($1, $2, now()) ON CONFLICT ON CONSTRAINT sweep_places_pk DO NOTHING;
