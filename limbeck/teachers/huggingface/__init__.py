"""Folders that transformers wrote, as teachers."""
