"""A linear model of the words and characters of a text."""
