"""What teachers have in common that show scores and nothing of their inside."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import AccessDenied

__all__ = ["Closed"]


class Closed(ABC):
    """A teacher without layers, activations and gradients; it lacks the rest of a teacher."""

    note: str = ""
    """What was guessed about its outputs, in words."""
    order_guessed: bool = False
    """Whether which output is which class was guessed."""

    def layers(self) -> tuple[str, ...]:
        """No layers."""
        return ()

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Refused: see ``access``.

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        layers : sequence of str
            Names of the layers.
        """
        raise self._denied("activations")

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Refused: see ``access``.

        Parameters
        ----------
        X : table of n rows
            Rows in the form the model takes.
        output : int
            Position of the score.
        """
        raise self._denied("gradients")

    @abstractmethod
    def _denied(self, what: str) -> AccessDenied:
        """The error for someone who asks for ``what``."""
