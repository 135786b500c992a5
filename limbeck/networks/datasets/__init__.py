"""Samples of any kind in batches, and what is predicted."""
