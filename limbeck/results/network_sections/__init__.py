"""A network's distillation as tables and as a page."""
