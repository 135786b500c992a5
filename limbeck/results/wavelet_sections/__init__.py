"""What a wavelet student adds to the page."""
