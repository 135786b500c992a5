"""Losses, lightest first: one kind a file."""
