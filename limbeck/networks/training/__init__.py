"""Training: settings, trainer, gradient accumulation, checkpoints."""
