"""What one machine needs to run everything by itself: a PostgreSQL of its own in a folder."""
