"""A sum of shapes, one for each column."""
