"""A tree whose nodes ask whether at least m of n conditions hold."""
