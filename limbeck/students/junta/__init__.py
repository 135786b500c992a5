"""A table over the few columns that matter."""
