"""Says who holds the work: enqueue, claim, lease, settle, rescue. Decisions are pure; the store carries them out."""
