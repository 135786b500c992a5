"""A weighted sum of a few readable terms."""
