"""What depends on the layers of networks: transplants, pairs, exits, causes, ablation."""
