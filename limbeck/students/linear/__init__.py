"""A weight for every column."""
