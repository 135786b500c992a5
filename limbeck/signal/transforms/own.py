"""A transform made of two functions of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from limbeck.core.errors import InvalidInput
from limbeck.signal.transforms.base import Matrix, Transform

__all__ = ["Own"]


class Own(Transform):
    """A pair of functions on tensors.

    Parameters
    ----------
    forward : callable
        From rows (n, *shape), float64, to coefficients (n, m).
    inverse : callable
        From coefficients (n, m) to rows (n, *shape), exactly or about. Made of torch operations,
        unless attributions are asked for by differences only.
    bands : mapping from str to int, optional
        Names and numbers of coefficients, in order, m in all; by default one band.

    Raises
    ------
    InvalidInput
        At ``fit``, if a function returns another shape, or the bands do not add up.

    Examples
    --------
    >>> half = Own(lambda x: x / 2, lambda s: 2 * s, bands={"left": 1, "right": 2})
    >>> [band.stop for band in half.fit([[1.0, 2.0, 3.0]]).bands]
    [1, 3]
    """

    def __init__(
        self,
        forward: Callable[[Tensor], Any],
        inverse: Callable[[Tensor], Any],
        bands: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self._forth, self._back = forward, inverse
        self.given = None if bands is None else dict(bands)

    def __repr__(self) -> str:
        names = [getattr(f, "__name__", type(f).__name__) for f in (self._forth, self._back)]
        return f"Own({', '.join(names)})"

    def _learn(self, rows: Matrix) -> Iterable[tuple[str, tuple[int, ...]]]:
        x = torch.from_numpy(rows[:2])
        s = torch.as_tensor(self._forth(x))
        if s.ndim != 2 or len(s) != len(x):
            raise InvalidInput(
                f"forward returned shape {tuple(s.shape)} for {len(x)} rows.",
                "Let it return one row of coefficients for each row, shape (n, m).",
            )
        again = torch.as_tensor(self._back(s))
        if again.shape != x.shape:
            raise InvalidInput(
                f"inverse returned shape {tuple(again.shape)} for rows of shape {tuple(x.shape)}.",
                "Let it return rows of the shape that forward takes.",
            )
        bands = self.given or {"all": s.shape[1]}
        if sum(bands.values()) != s.shape[1] or min(bands.values()) < 1:
            raise InvalidInput(
                f"The bands are {bands}, and there are {s.shape[1]} coefficients.",
                "Give each band its number of coefficients, as many as there are in all.",
            )
        return [(name, (size,)) for name, size in bands.items()]

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        s = torch.as_tensor(self._forth(x)).to(x)
        return torch.split(s, [band.stop - band.start for band in self._bands], dim=1)

    def _whole(self, parts: Sequence[Tensor]) -> Tensor:
        s = torch.cat(list(parts), dim=1)
        return torch.as_tensor(self._back(s)).to(s)
