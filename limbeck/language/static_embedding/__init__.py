"""A sentence encoder into a table of a vector for each token."""
