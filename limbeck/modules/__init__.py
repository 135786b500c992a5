"""The one runner of torch modules: modes, devices, outputs by name, captured layers."""
