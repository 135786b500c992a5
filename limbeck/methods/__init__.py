"""One algorithm per file, readable beside its paper."""
