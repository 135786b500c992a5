"""Where fresh inputs come from."""
