"""The mathematics of learned wavelets: filter banks, angles, loss and search."""
