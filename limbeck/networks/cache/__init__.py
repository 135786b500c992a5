"""The teacher's outputs, stored once."""
