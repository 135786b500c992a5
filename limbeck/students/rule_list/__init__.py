"""A rule list: the first rule that holds decides."""
