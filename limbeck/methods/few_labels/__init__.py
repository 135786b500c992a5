"""A student of texts from few labels: the texts that teach most are asked about."""
