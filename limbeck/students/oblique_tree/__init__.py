"""A tree that asks about weighted sums of columns, with linear leaves: a small ReLU network."""
