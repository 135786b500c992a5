"""What stands on the vectors of texts: a linear model, or a small network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.students.text_classifier.fitting import LinearFit, fit_path, loss_and_slope
from limbeck.students.text_classifier.network import SmallNetwork, fit_network
from limbeck.students.text_classifier.search import FEWEST, LEFT_OUT, PENALTIES, TextData

__all__ = ["HEADS", "FoundHead", "Head", "fit_head"]

Head = LinearFit | SmallNetwork
HEADS: dict[str, type[Any]] = {"linear": LinearFit, "network": SmallNetwork}
_UNITS, _DIGITS = 32, 4
_OF_NETWORKS: tuple[float, ...] = (1e-3, 1e-4)


@dataclass(frozen=True, eq=False)
class FoundHead:
    """A model on vectors, with its penalty and the loss on texts that were left out.

    Parameters
    ----------
    model : LinearFit or SmallNetwork
        The model.
    penalty : float
        Of the squared weights.
    loss : float or None
        On a fifth of the texts; None where there are too few.
    """

    model: Head
    penalty: float
    loss: float | None


def fit_head(
    head: str, vectors: NDArray[Any], data: TextData, rng: np.random.Generator
) -> FoundHead:
    """The model with the penalty that has the smallest loss on a fifth of the texts.

    Parameters
    ----------
    head : {"linear", "network"}
        Which model.
    vectors : ndarray of shape (n, d)
        Vectors of the texts.
    data : TextData
        Texts and soft answers.
    rng : numpy.random.Generator
        Chooses the texts that are left out, and first weights.
    """
    if head not in HEADS:
        raise InvalidInput(f"head is {head!r}.", did_you_mean(str(head), HEADS))
    vectors = np.asarray(vectors, dtype=np.float64)
    order, seed = rng.permutation(len(vectors)), int(rng.integers(2**31))
    cut = round(LEFT_OUT * len(order)) if len(order) >= FEWEST else 0
    penalties = PENALTIES if head == "linear" else _OF_NETWORKS
    used, loss = penalties[:3] if head == "linear" else penalties[-1:], None
    if cut:
        out, rest = order[:cut], np.sort(order[cut:])
        losses: list[float] = []
        for model in _path(head, vectors[rest], data.take(rest), penalties, seed):
            losses.append(_loss(model, vectors[out], data.take(out)))
            if losses[-1] > min(losses):
                break
        best = int(np.argmin(losses))
        used, loss = penalties[: best + 1], min(losses)
        if head == "network":
            used = used[-1:]
    *_, model = _path(head, vectors, data, used, seed)
    return FoundHead(_rounded(model), used[-1], loss)


def _path(head: str, vectors: NDArray[Any], data: TextData, penalties: Any, seed: int) -> Any:
    if head == "linear":
        yield from fit_path(csr_array(vectors), data.soft, data.weight, data.classifies, penalties)
        return
    for penalty in penalties:
        yield fit_network(
            vectors, data.soft, data.weight, data.classifies, units=_UNITS, penalty=penalty,
            rng=np.random.default_rng(seed),
        )  # fmt: skip


def _loss(model: Head, vectors: NDArray[Any], data: TextData) -> float:
    soft = data.soft[:, 1:] if data.classifies and data.soft.shape[1] == 2 else data.soft
    sums = vectors @ model.weights + model.intercept if isinstance(model, LinearFit) else (
        model.scores(vectors)
    )  # fmt: skip
    each = loss_and_slope(np.asarray(sums), soft, data.classifies)[0]
    return float(np.average(each, weights=data.weight))


def _rounded(model: Head) -> Head:
    """Numbers with six digits after the largest one's first, as they are written."""
    names = ("weights", "intercept") + (("hidden", "level") if hasattr(model, "hidden") else ())
    largest = max(float(np.abs(getattr(model, n)).max(initial=0.0)) for n in names) or 1.0
    digits = _DIGITS + 2 - int(np.floor(np.log10(largest)))
    return replace(model, **{n: np.round(getattr(model, n), digits) + 0.0 for n in names})
