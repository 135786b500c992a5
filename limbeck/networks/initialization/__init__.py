"""A student that starts from its teacher's weights."""
