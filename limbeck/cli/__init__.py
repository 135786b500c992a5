"""The same verbs from a shell."""

from limbeck.cli.app import app, main

__all__ = ["app", "main"]
