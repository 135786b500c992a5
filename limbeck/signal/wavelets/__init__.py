"""Filters by angles, the differentiable transform, and the search for wavelets."""
