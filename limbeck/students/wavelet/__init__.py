"""A few wavelet coefficients and a readable rule on them."""
