"""How distributions become arrays on disk, and a `TeacherSignal` again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from limbeck.language.carriers.signal import TeacherSignal

__all__ = ["Arrays", "Carrier", "TokenLayout"]

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class TokenLayout:
    """Where stored distributions belong among the student's tokens.

    Parameters
    ----------
    places : ndarray of int64, shape (n,)
        The place of each stored distribution among the tokens of a batch, flattened.
    tokens : int
        How many tokens the batch has, padding included.
    vocabulary : int
        How many outputs the teacher has.
    cut : bool
        Whether students with more outputs are cut to these.
    device : torch.device
        Where the signal is wanted.
    """

    places: NDArray[np.int64]
    tokens: int
    vocabulary: int
    cut: bool
    device: torch.device

    def dense(self, values: NDArray[Any]) -> Tensor:
        """Rows of stored places in an array of all tokens; zero elsewhere."""
        found = np.zeros((self.tokens, *values.shape[1:]), dtype=values.dtype)
        found[self.places] = values
        return torch.from_numpy(found).to(self.device)


class Carrier(ABC):
    """One way to keep next-token distributions.

    Attributes
    ----------
    states : bool
        Whether it keeps the teacher's last hidden states, not its logits.
    """

    states: ClassVar[bool] = False

    @property
    @abstractmethod
    def keep(self) -> str:
        """What `limbeck.language.record` calls it."""

    def check(self, vocabulary: int) -> None:  # noqa: B027  (mostly nothing to refuse)
        """Refuse, before any work, what makes no sense of so many outputs."""

    def noise(self, tokens: int, seed: int) -> Tensor | None:
        """Random numbers for the tokens of a text; the same however texts are batched.

        Parameters
        ----------
        tokens : int
            How many.
        seed : int
            Of this text.
        """
        return None

    @abstractmethod
    def kept(self, outputs: Tensor, noise: Tensor | None) -> Arrays:
        """What is kept of some tokens; arrays of several calls can be concatenated.

        Parameters
        ----------
        outputs : Tensor of shape (n, vocabulary) or (n, width)
            Logits in float32, or hidden states where ``states`` is set.
        noise : Tensor or None
            The rows of `noise` for these tokens.
        """

    def packed(self, kept: Arrays, vocabulary: int) -> Arrays:
        """The same of a whole text, as it is written.

        Parameters
        ----------
        kept : dict of ndarray
            From `kept`.
        vocabulary : int
            How many outputs the teacher has.
        """
        return kept

    def unpacked(self, packed: Arrays, vocabulary: int) -> Arrays:
        """What `packed` was given.

        Parameters
        ----------
        packed : dict of ndarray
            Of one text.
        vocabulary : int
            How many outputs the teacher has.
        """
        return packed

    @abstractmethod
    def signal(
        self, kept: Arrays, layout: TokenLayout, head: Mapping[str, Tensor]
    ) -> TeacherSignal:
        """The distributions again.

        Parameters
        ----------
        kept : dict of ndarray
            Of all texts of a batch, concatenated.
        layout : TokenLayout
            Where they belong.
        head : mapping of Tensor
            The teacher's LM head, where hidden states are kept.
        """

    @abstractmethod
    def probabilities(self, signal: Any) -> Tensor:
        """The distributions that a reader would restore, (tokens, vocabulary), to measure them.

        Parameters
        ----------
        signal : TeacherSignal
            From `signal`.
        """
