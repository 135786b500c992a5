"""What two networks have in common, and which part of a loss matters."""
