-- A worker introduces itself, once per process start; its queues are known from then on.
-- Index: workers_pk, queues_pk. Locks: its row, and new queues by their names.
-- $1 id, $2 host, $3 pid, $4 version, $5 queues, $6 slots, $7 encoders, $8 about
WITH queue AS (
  INSERT INTO queues (queue) SELECT name FROM unnest($5::text[]) AS name ORDER BY name
  ON CONFLICT ON CONSTRAINT queues_pk DO NOTHING
)
INSERT INTO workers (id, host, pid, version, queues, slots, encoders, about, started_at, seen_at)
VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8::json, now(), now())
ON CONFLICT ON CONSTRAINT workers_pk DO UPDATE SET
  queues = excluded.queues, slots = excluded.slots, encoders = excluded.encoders, about = excluded.about,
  seen_at = now(), draining = false;
