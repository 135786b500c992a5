"""Bounds that a third party can verify: they import only the contract and the errors."""
