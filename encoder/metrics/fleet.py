"""Of the whole platform, as each API reads it in the database: take the `max` over all of them."""

from __future__ import annotations

from encoder.metrics.family import counter, gauge

_QUEUES = 24

tasks = gauge(
    "queue_tasks",
    "Tasks `waiting`, `ready` (in line), `running`, `scheduled`, counted to 10,000.",
    "queue",
    "state",
    most=4 * _QUEUES,
)
oldest = gauge("queue_oldest_seconds", "Age of the oldest waiting or ready task; 0 without one.", "queue", most=_QUEUES)
wanted = gauge(
    "queue_wanted_slots",
    "Slots that are busy, and those for what may start ([autoscaling](../operate/autoscaling.md)).",
    "queue",
    most=_QUEUES,
)
tenant_oldest = gauge(
    "tenant_oldest_seconds",
    "Age of what waits first of a tenant: of the 20 oldest, and of all `other`. Off unless `ENCODER_TENANT_METRICS`.",
    "queue",
    "tenant",
    most=21 * 4,
)
workers = gauge("fleet_workers", "Workers that were seen lately, by what they take from.", "queue", most=_QUEUES)
slots = gauge("fleet_slots", "Their slots; those of draining workers are none.", "queue", most=_QUEUES)
versions = gauge("fleet_versions", "Releases that they run; more than one during an upgrade.")
expired = gauge("leases_expired", "Leases past their end, that nobody has taken yet.")
schema = gauge("schema_version", "Version of the tables.")
webhook_pending = gauge("webhook_pending", "Events that receivers are still to be told, counted to 10,000.")
webhook_oldest = gauge("webhook_oldest_seconds", "Age of the oldest of them; 0 without one.")
oldest_xmin = gauge(
    "db_oldest_xmin_seconds",
    "Age of the oldest transaction, which keeps dead rows: claims slow down. PostgreSQL alone.",
)
dead_tuples = gauge("db_dead_tuples", "Dead rows of the tables that change most. PostgreSQL alone.", "table", most=8)
retention_success = gauge(
    "retention_last_success_timestamp_seconds", "When a sweep of `encoder retention` ended well last; 0: never."
)
retention_removed = counter(
    "retention_removed_total", "What sweeps have removed since there is this database.", "what", most=20
)
retention_blocked = gauge(
    "retention_blocked", "Jobs and uploads that stay past their time, for the storage keeps their objects."
)
retention_overdue = gauge(
    "retention_overdue", "Jobs that the last sweep left though their time was over for two hours."
)
secrets_overdue = gauge("secrets_overdue", "Jobs that ended over 24 h ago and still have their secrets.")
