"""TREPAN: a tree grown best first on rows and on queries made at each node."""
