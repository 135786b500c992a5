"""Numbers computed once, then drawn."""
