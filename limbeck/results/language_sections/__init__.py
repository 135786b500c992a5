"""A language model's distillation as tables, page, plot and model card."""
