"""The parts of tree search: literals, costs, samples, probes, the pool and its stitch."""
