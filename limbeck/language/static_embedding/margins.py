"""MarginMSE: how much better one text fits than another, as a cross-encoder says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput
from limbeck.teachers import as_teacher

__all__ = ["Margins", "ask_margins", "margin_loss", "pair_scores"]

Matrix = NDArray[np.float64]
PairScores = Callable[[NDArray[Any], NDArray[Any]], Matrix]
_NEAR, _BLOCK, _TINY, _ROUNDING = 10, 512, 1e-12, 3e-7


@dataclass(frozen=True, eq=False)
class Margins:
    """Triples of texts with the cross-encoder's margins.

    Parameters
    ----------
    triples : ndarray of shape (m, 3), int64
        A text, and two others that are compared with it.
    margins : ndarray of shape (m,)
        The score of the first with the second, less that with the third, in units in which they
        are as large as margins of cosines.
    apart : ndarray of shape (n,), bool
        Texts that are left out to choose the penalty; no triple holds texts of both kinds.
    """

    triples: NDArray[np.int64]
    margins: Matrix
    apart: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Margins:
        """The triples of some of the texts, by their new positions.

        Parameters
        ----------
        rows : ndarray of int
            Positions of the texts.
        """
        at = np.full(len(self.apart), -1, dtype=np.int64)
        at[rows] = np.arange(len(rows))
        triples = at[self.triples]
        inside = (triples >= 0).all(axis=1)
        return Margins(triples[inside], self.margins[inside], self.apart[rows])


def pair_scores(cross_encoder: Any) -> PairScores:
    """What was given as a cross-encoder, as a function of two arrays of texts.

    Parameters
    ----------
    cross_encoder : function, "hf:folder", Teacher or object with ``predict``
        A function from n texts and n others to scores (n,); a folder of transformers that reads
        pairs and answers with one number; or what has ``predict`` of a list of pairs, as the
        CrossEncoder of sentence-transformers.

    Raises
    ------
    InvalidInput
        If it is none of these, or its scores are not n finite numbers.
    """
    if isinstance(cross_encoder, str | Teacher):
        teacher: Teacher = as_teacher(cross_encoder, None)
        ask: Any = lambda a, b: teacher.scores(list(zip(a, b, strict=True)))  # noqa: E731
        name = teacher.name
    elif hasattr(cross_encoder, "predict"):
        ask, name = lambda a, b: cross_encoder.predict(list(zip(a, b, strict=True))), "predict"
    elif callable(cross_encoder):
        ask, name = cross_encoder, getattr(cross_encoder, "__name__", "cross_encoder")
    else:
        raise InvalidInput(
            f"cross_encoder is {type(cross_encoder).__name__}.",
            "Give a function from n texts and n others to n scores, or 'hf:folder'.",
        )

    def scores(a: NDArray[Any], b: NDArray[Any]) -> Matrix:
        found = np.asarray(ask(list(a), list(b)), dtype=np.float64)
        if found.shape not in ((len(a),), (len(a), 1)) or not np.isfinite(found).all():
            raise InvalidInput(
                f"{name} gave an array of shape {found.shape} for {len(a)} pairs, or numbers that"
                " are not finite.",
                "Give one finite score for each pair.",
            )
        return found.reshape(-1)

    return scores


def ask_margins(
    ask: PairScores,
    texts: NDArray[Any],
    vectors: Matrix,
    each: int,
    share: float,
    rng: np.random.Generator,
) -> Margins:
    """Triples of each text with one of its nearest and one random text, and their margins.

    Parameters
    ----------
    ask : callable
        The cross-encoder.
    texts : ndarray of shape (n,), object
        The texts.
    vectors : ndarray of shape (n, D)
        The encoder's, of length 1: they say which texts are near.
    each : int
        Triples of each text; each costs two questions.
    share : float
        The share of the texts that is left out.
    rng : numpy.random.Generator
        Draws both.

    Raises
    ------
    InvalidInput
        If all scores are equal, up to rounding.
    """
    n = len(texts)
    apart = np.zeros(n, dtype=bool)
    apart[rng.permutation(n)[: round(share * n)]] = True
    parts = []
    for own in (np.flatnonzero(~apart), np.flatnonzero(apart)):
        near = _nearest(vectors[own])
        for _ in range(each if len(own) > 2 else 0):
            a = near[np.arange(len(own)), rng.integers(near.shape[1], size=len(own))]
            shift = rng.integers(1, len(own), size=len(own))
            b = (np.arange(len(own)) + shift) % len(own)
            parts.append(np.column_stack([own, own[a], own[b]])[a != b])
    triples = np.concatenate(parts)
    first, second, third = triples.T
    left, right = ask(texts[first], texts[second]), ask(texts[first], texts[third])
    margins = left - right
    cosines = ((vectors[second] - vectors[third]) * vectors[first]).sum(axis=1)
    size = float(np.sqrt((margins**2).mean()))
    # Rounding of float32 is no margin: it would be made as large as those of cosines.
    if not size > _ROUNDING * float(np.abs([left, right]).max(initial=0.0)):
        raise InvalidInput("The cross-encoder gives all pairs the same score.", "Check it.")
    return Margins(triples, margins * float(np.sqrt((cosines**2).mean())) / size, apart)


def _nearest(vectors: Matrix) -> NDArray[np.int64]:
    """The nearest other texts of each, shape (n, 10) at most."""
    most = min(_NEAR, len(vectors) - 1)
    found = np.empty((len(vectors), max(most, 0)), dtype=np.int64)
    for start in range(0, len(vectors) if most > 0 else 0, _BLOCK):
        alike = vectors[start : start + _BLOCK] @ vectors.T
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -np.inf
        found[start : start + _BLOCK] = np.argpartition(-alike, most - 1, axis=1)[:, :most]
    return found


def margin_loss(means: Matrix, known: Margins) -> tuple[float, Matrix]:
    """Mean squared difference of margins, and its slope in the means.

    MarginMSE of Hofstätter et al. (2020), arXiv:2010.02666, with cosines as the student's scores.

    Parameters
    ----------
    means : ndarray of shape (n, d)
        Vectors of the student.
    known : Margins
        Triples and the cross-encoder's margins.
    """
    length = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), _TINY)
    u = means / length
    a, b, c = known.triples.T
    off = ((u[b] - u[c]) * u[a]).sum(axis=1) - known.margins
    pull = (2 * off / len(off))[:, None]
    slope = np.zeros_like(u)
    np.add.at(slope, a, pull * (u[b] - u[c]))
    np.add.at(slope, b, pull * u[a])
    np.add.at(slope, c, -pull * u[a])
    return float((off**2).mean()), (slope - (slope * u).sum(axis=1, keepdims=True) * u) / length
