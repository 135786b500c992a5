"""Rows as users hold them, in batches of tensors that a module takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput

__all__ = ["as_table", "row_batches", "some_of", "starts_with_embedding"]


def as_table(X: Any) -> Any:
    """X as something with a length and a shape; nothing is copied but lists.

    Raises
    ------
    InvalidInput
        If it has one axis, or no row.
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    if len(X.shape) < 2 or X.shape[0] == 0:
        raise InvalidInput(
            f"The rows have shape {tuple(X.shape)}.", "Give shape (n, d) with at least one row."
        )
    return X


def some_of(X: Any, start: int, stop: int) -> Any:
    """Rows ``start`` to ``stop`` of an array, tensor or data frame.

    Parameters
    ----------
    X : table of n rows
        What `as_table` returned.
    start, stop : int
        The first row, and the one after the last.
    """
    return X.iloc[start:stop] if hasattr(X, "iloc") else X[start:stop]


def starts_with_embedding(module: nn.Module) -> bool:
    """Whether the first layer with parameters is an embedding, which needs integers."""
    own = (m for m in module.modules() if any(True for _ in m.parameters(recurse=False)))
    return isinstance(next(own, None), nn.Embedding | nn.EmbeddingBag)


def row_batches(
    module: nn.Module,
    X: Any,
    size: int,
    preprocess: Callable[[Any], Any] | None = None,
    device: str | torch.device | None = None,
) -> Iterator[tuple[slice, Tensor]]:
    """Places of rows, and the rows as a new tensor; the user's own is never touched.

    Floating rows take the dtype of the module's parameters. So do integers and booleans, unless
    the module starts with an embedding.

    Parameters
    ----------
    module : nn.Module
        What will be called.
    X : table of n rows
        What `as_table` returned.
    size : int
        Rows in one batch.
    preprocess : callable, optional
        From the user's rows to an array or tensor; applied to one batch at a time.
    device : str or torch.device, optional
        Where batches are sent; by default where the module's first parameter is.

    Raises
    ------
    InvalidInput
        If rows hold no numbers, or ``preprocess`` makes another number of rows.
    """
    embeds = starts_with_embedding(module)
    for start in range(0, len(X), size):
        rows = slice(start, min(start + size, len(X)))
        batch = some_of(X, rows.start, rows.stop)
        x = _placed(module, preprocess(batch) if preprocess else batch, device, embeds)
        if len(x) != rows.stop - rows.start:
            raise InvalidInput(
                f"preprocess made {len(x)} rows of {rows.stop - rows.start}.",
                "Let it return one row for each row.",
            )
        yield rows, x


def _placed(
    module: nn.Module, batch: Any, device: str | torch.device | None, embeds: bool
) -> Tensor:
    x = batch.detach() if isinstance(batch, Tensor) else torch.from_numpy(_numbers(batch))
    first = next(module.parameters(), None)  # asked now: the owner may move the module
    home = device or ("cpu" if first is None else first.device)
    floating = (p.dtype for p in module.parameters() if p.is_floating_point())
    dtype = next(floating, torch.get_default_dtype())
    if embeds and not x.is_floating_point():
        dtype = torch.int64
    return x.to(home, dtype, copy=isinstance(batch, Tensor))


def _numbers(batch: Any) -> NDArray[Any]:
    """A fresh contiguous array of a dtype that torch knows."""
    if hasattr(batch, "toarray"):  # sparse
        batch = batch.toarray()
    A = np.asarray(batch)
    if A.dtype.kind in "iub":
        return A.astype(np.int64, order="C")
    try:
        wanted = A.dtype if A.dtype in (np.float16, np.float32) else np.float64
        return A.astype(wanted, order="C")
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The rows hold {A.dtype} that are not numbers.",
            "Give preprocess=..., a callable that turns your rows into numbers.",
        ) from None
