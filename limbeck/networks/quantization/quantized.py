"""What is asked of a quantized student: bits of a weight, and how many weights share a scale."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["Quantized", "WeightType"]

WeightType = Literal["int8", "int4"]

_GROUP = 32  # of int4, as in torchao's configuration of weights alone


@dataclass(frozen=True)
class Quantized:
    """The teacher with weights of few bits: ``distill(teacher, data, into=Quantized("int8"))``.

    Weights of linear layers are rounded to whole numbers times a scale (torchao's
    ``IntxWeightOnlyConfig``, symmetric); all else stays as it is. Training sees the rounded weights
    and passes gradients to the unrounded ones (quantization-aware training, torchao's
    ``QATConfig``), and learns the answers of the unrounded network.

    Parameters
    ----------
    weights : {"int8", "int4"}
        Whole numbers of 8 or 4 bits.
    group_size : int, optional
        Weights of one row of a layer that share a scale; by default whole rows of int8, and 32 of
        int4. A layer whose inputs are no multiple of it stays as it is.

    Raises
    ------
    InvalidInput
        If a setting is out of range.

    Examples
    --------
    >>> Quantized("int4").group
    32
    """

    weights: WeightType = "int8"
    group_size: int | None = None

    def __post_init__(self) -> None:
        if self.weights not in get_args(WeightType):
            raise InvalidInput(
                f"weights is {self.weights!r}.",
                did_you_mean(str(self.weights), get_args(WeightType)),
            )
        size = self.group_size
        whole = isinstance(size, Integral) and not isinstance(size, bool)
        if size is not None and (not whole or size < 2):
            raise InvalidInput(
                f"group_size is {size!r}.", "Give a whole number from 2 on, such as 32."
            )

    @property
    def group(self) -> int | None:
        """Weights that share a scale; None for a whole row."""
        if self.group_size is None and self.weights == "int4":
            return _GROUP
        return None if self.group_size is None else int(self.group_size)
