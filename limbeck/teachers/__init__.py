"""What a distiller may see of a model."""
