"""Rule sets, and what rule lists share with them: clauses, candidates, search, text and drawing."""
