"""How varied a set of texts is, measured so that two sets can be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.language.generated.rouge import rouge_tokens

__all__ = ["Diversity", "diversity", "embedding_spread"]

_ORDERS = (1, 2, 3)


@dataclass(frozen=True)
class Diversity:
    """How varied a set of texts is.

    Parameters
    ----------
    name : str
        Which set.
    texts : int
        Texts in it.
    tokens : int
        Tokens that n-grams were counted in.
    distinct : tuple of float
        Of the n-grams in them, the share that are different ones, for n = 1, 2, 3.
    spread : float
        See `embedding_spread`; NaN without an encoder.
    """

    name: str
    texts: int
    tokens: int
    distinct: tuple[float, ...]
    spread: float = float("nan")


def diversity(
    sets: dict[str, Sequence[str]],
    encode: Callable[[Sequence[str]], NDArray[np.float64]] | None = None,
    seed: int = 0,
) -> tuple[Diversity, ...]:
    """The diversity of several sets, each measured on as many tokens and texts as the smallest has.

    The share of different n-grams (distinct-n, Li et al. 2016) falls with the number of tokens, so
    that sets of different sizes cannot be compared by it. Texts are taken in random order.

    Parameters
    ----------
    sets : dict from name to texts
        The sets; empty ones are left out.
    encode : callable, optional
        From texts to vectors of shape (n, d).
    seed : int
        Of the random order.

    Examples
    --------
    >>> found = diversity({"a": ["x y z", "x y z"], "b": ["p q r s t u"]})
    >>> [one.distinct[0] for one in found]
    [0.5, 1.0]
    """
    rng = np.random.default_rng(seed)
    some = {name: list(texts) for name, texts in sets.items() if len(texts)}
    drawn = {name: [texts[i] for i in rng.permutation(len(texts))] for name, texts in some.items()}
    words = {n: [rouge_tokens(t, any_script=True) for t in texts] for n, texts in drawn.items()}
    tokens = min((sum(map(len, texts)) for texts in words.values()), default=0)
    fewest = min((len(texts) for texts in drawn.values()), default=0)
    return tuple(
        Diversity(
            name, len(texts), tokens, _distinct(words[name], tokens),
            float("nan") if encode is None else embedding_spread(encode(texts[:fewest])),
        )
        for name, texts in drawn.items()
    )  # fmt: skip


def embedding_spread(vectors: NDArray[np.float64]) -> float:
    """The mean cosine distance between two different texts; 0 where all say the same.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        A vector for each text.

    Examples
    --------
    >>> embedding_spread(np.eye(3)), embedding_spread(np.ones((4, 2)))
    (1.0, 0.0)
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    n = len(vectors)
    if n < 2:
        return float("nan")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1.0)
    # the sum over pairs of u.v is (|sum u|^2 - sum |u|^2) / 2
    pairs = (np.square(unit.sum(axis=0)).sum() - np.square(unit).sum()) / (n * (n - 1))
    return max(0.0, round(float(1.0 - pairs), 12))


def _distinct(texts: Sequence[Sequence[str]], tokens: int) -> tuple[float, ...]:
    """The share of different n-grams among those of the first tokens, texts kept apart."""
    shares = []
    for n in _ORDERS:
        seen: set[tuple[str, ...]] = set()
        left, count = tokens, 0
        for text in texts:
            part = text[:left]
            left -= len(part)
            grams = [tuple(part[i : i + n]) for i in range(len(part) - n + 1)]
            seen.update(grams)
            count += len(grams)
            if left <= 0:
                break
        shares.append(len(seen) / count if count else float("nan"))
    return tuple(shares)
