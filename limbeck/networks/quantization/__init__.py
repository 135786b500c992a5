"""Weights as whole numbers of few bits, healed by the network that they were rounded from."""
