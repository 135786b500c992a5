"""Smaller networks cut out of larger ones: what is cut, how much, and by what it is chosen."""
