"""Log-probabilities that other programs wrote, as folders that training reads."""
