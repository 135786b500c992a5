"""One algorithm a file, readable beside its paper."""
