"""What all of limbeck stands on: contract, errors, columns, strict JSON, whole files, progress."""
