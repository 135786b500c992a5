"""A vector for each token: a text is the mean of its tokens."""
