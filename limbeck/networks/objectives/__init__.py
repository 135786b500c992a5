"""Objectives, lightest first: one kind a file."""
