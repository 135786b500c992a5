"""A decision tree, its text and its drawing."""
