"""Teachers of networks beside one network: several as one, and models that are no networks."""
