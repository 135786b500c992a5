"""Transforms of signals, images and graphs, and wavelets that are learned."""
