"""Takes jobs in and tells what became of them: HTTP, JSON, server-sent events."""
