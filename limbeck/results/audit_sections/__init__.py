"""An audit as tables and as a page."""
