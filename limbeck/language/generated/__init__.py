"""Training sets that a language model writes, with every filter counted; no torch."""
