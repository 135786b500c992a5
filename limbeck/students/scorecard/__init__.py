"""A sparse sum with whole points."""
