"""Does the work: claims tasks, keeps their leases, and leads each through the stages of `pipeline`."""
