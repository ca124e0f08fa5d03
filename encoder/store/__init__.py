"""Keeps everything: jobs, outputs, tasks, events, deliveries. `protocol` says what a store does, `postgres` does it."""
