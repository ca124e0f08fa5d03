"""Objects that appear in buckets: what stores say of them, and which rule makes a job of one."""
