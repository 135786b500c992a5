"""One language a file: how a student's formula is written in it."""
