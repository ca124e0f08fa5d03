"""The verbs of the store, a module per group, for every engine: what `changes` decides, carried out by statements."""
