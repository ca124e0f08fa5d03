"""Where inputs come from: one file per kind, chosen by `kind` through the registry."""
