"""Settings in, ready objects out: the only place that chooses concrete classes. `roles` set them going."""
