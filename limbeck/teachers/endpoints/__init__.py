"""Services as teachers: each answer is stored, and is never paid for twice."""
