"""Juntas: the few columns on which a teacher depends, and a table over them (after Blais 2009)."""
