"""What every verb returns: it prints itself, draws its page, and is saved and loaded."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any, Self

from limbeck.reports.printed import Printed

__all__ = ["Result"]


class Result(Printed):
    """A table in the terminal and in a notebook, one HTML page, and a folder on disk."""

    @abstractmethod
    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML page; returns its path."""

    @abstractmethod
    def save(self, folder: str | Path) -> Path:
        """Write a folder that `load` reads; returns it."""

    @classmethod
    @abstractmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder that `save` wrote."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON, None where not finite."""
