"""Which method leads to which student."""
