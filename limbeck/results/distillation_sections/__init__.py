"""A distillation as tables and as a page."""
