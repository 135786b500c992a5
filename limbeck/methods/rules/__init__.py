"""Rules from the nodes of many small trees on the teacher's answers."""
