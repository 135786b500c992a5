"""Teacher, student, control and baselines on rows that none of them saw."""
