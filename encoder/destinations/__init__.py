"""Where outputs go: one file per kind, chosen by `kind` through the registry."""
