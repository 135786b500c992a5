"""Sequence mixers with a constant state, in torch alone; one kind a file."""
