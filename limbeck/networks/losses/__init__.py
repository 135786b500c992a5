"""Losses, lightest first: one kind per file."""
