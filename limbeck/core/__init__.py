"""What every part of limbeck stands on: the contract, errors, strict JSON, whole files, progress."""
