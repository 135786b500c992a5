"""Certificates of vectors of texts: how far they point from the teacher's, and in which order.

Three bounds that hold at once, each at a third of delta (Bonferroni): they rank students
differently, so that none stands for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share, upper_bound
from limbeck.certificates.bounded import betting_bound
from limbeck.core.errors import InvalidInput

__all__ = ["EmbeddingBound", "EmbeddingCertificate", "certify_embedding", "triples_of"]

Vectors = NDArray[Any]
_FEWEST = 30
_NAMES = ("direction", "similarity", "order")


@dataclass(frozen=True)
class EmbeddingBound:
    """One upper bound, with what it is about.

    Parameters
    ----------
    name : {"direction", "similarity", "order"}
        Which.
    mean : float
        The mean loss seen.
    bound : float
        The mean loss of inputs drawn like these is at most this.
    n : int
        Independent units.
    unit : str
        What a unit is.
    sentence : str
        The bound in words.
    """

    name: str
    mean: float
    bound: float
    n: int
    unit: str
    sentence: str


@dataclass(frozen=True)
class EmbeddingCertificate:
    """How far a student's vectors are from its teacher's, on texts that it never saw.

    Parameters
    ----------
    bounds : tuple of EmbeddingBound
        Of direction, similarity and order.
    delta : float
        Probability that any of them is wrong.
    student : str
        The student's fingerprint.
    seed : int
        Of the order in which texts became pairs and triples.
    """

    bounds: tuple[EmbeddingBound, ...]
    delta: float
    student: str
    seed: int

    def __getitem__(self, name: str) -> EmbeddingBound:
        """The bound of a name."""
        for bound in self.bounds:
            if bound.name == name:
                return bound
        raise InvalidInput(f"There is no bound {name!r}.", f"Give {', '.join(_NAMES)}.")

    @property
    def statement(self) -> str:
        """All of it in words."""
        said = " ".join(bound.sentence for bound in self.bounds)
        return (
            f"With probability at least {1 - self.delta:.6g}, all at once, for texts drawn like"
            f" these: {said}"
        )


def triples_of(n: int, seed: int) -> NDArray[np.int64]:
    """Disjoint triples of n texts, by chance, shape (n // 3, 3).

    Parameters
    ----------
    n : int
        Texts.
    seed : int
        Of the chance.
    """
    order = np.random.default_rng(seed).permutation(n)
    return order[: n // 3 * 3].reshape(-1, 3)


def certify_embedding(
    student: Vectors,
    teacher: Vectors,
    fingerprint: str,
    *,
    delta: float = 0.05,
    seed: int = 0,
    lifted: Vectors | None = None,
) -> EmbeddingCertificate:
    """Three bounds from the vectors of the same fresh texts.

    Direction: the mean of one less the cosine between the student's and the teacher's vector,
    halved so that it lies in [0, 1]; similarity: how far the cosine of two texts is from the
    teacher's, halved, where the unit is a pair of texts; order: which of two texts is nearer to a
    third, where the unit is a triple. Pairs and triples are disjoint, so units are independent.
    The first two are betting bounds (Waudby-Smith and Ramdas 2023), the third is exact
    (Clopper and Pearson 1934).

    Parameters
    ----------
    student : ndarray of shape (n, d)
        Vectors of length 1, or zeros.
    teacher : ndarray of shape (n, D)
        The teacher's.
    fingerprint : str
        The student's.
    delta : float
        Probability that any of the bounds is wrong.
    seed : int
        Of pairs and triples.
    lifted : ndarray of shape (n, D), optional
        The student's vectors in the dimensions of the teacher, where d is not D.

    Raises
    ------
    InvalidInput
        If there are fewer than 30 texts, or shapes do not fit.
    """
    check_share("delta", delta)
    lifted = student if lifted is None else lifted
    if len(student) != len(teacher) or lifted.shape != teacher.shape:
        raise InvalidInput(
            f"Vectors of shapes {student.shape}, {lifted.shape} and {teacher.shape} were given.",
            "Give the vectors of the same texts.",
        )
    if len(student) < _FEWEST:
        raise InvalidInput(
            f"There are {len(student):,} texts, and fewer than {_FEWEST} certify next to nothing.",
            "Give more fresh texts.",
        )
    own, theirs, raised = (_unit(np.asarray(v, np.float64)) for v in (student, teacher, lifted))
    each = delta / len(_NAMES)
    triples = triples_of(len(own), seed)
    direction = _clipped((1 - (raised * theirs).sum(axis=1)) / 2)
    pairs = triples.reshape(-1)[: len(triples) * 3 // 2 * 2].reshape(-1, 2)
    off = np.abs(_cosine(own)(pairs[:, 0], pairs[:, 1]) - _cosine(theirs)(*pairs.T))
    similarity = _clipped(off / 2)
    wrong = _order(own, triples) != _order(theirs, triples)
    bounds = (
        _mean_bound("direction", direction, each, "text", "one less the cosine is at most"
                    " {bound:.3f} on average (mean {mean:.3f} over {n:,} texts);"),
        _mean_bound("similarity", similarity, each, "pair of texts", "the cosine of two texts is"
                    " off by at most {bound:.3f} on average ({mean:.3f} over {n:,} pairs);"),
        _order_bound(wrong, each),
    )  # fmt: skip
    return EmbeddingCertificate(bounds, delta, fingerprint, seed)


def _mean_bound(
    name: str, halved: NDArray[np.float64], delta: float, unit: str, words: str
) -> EmbeddingBound:
    mean = 2 * float(halved.mean())
    bound = 2 * betting_bound(halved, delta, 0.0, 1.0)
    said = words.format(bound=bound, mean=mean, n=len(halved))
    return EmbeddingBound(name, mean, bound, len(halved), unit, said)


def _order_bound(wrong: NDArray[np.bool_], delta: float) -> EmbeddingBound:
    errors, n = int(wrong.sum()), len(wrong)
    bound = upper_bound(errors, n, delta)
    said = (
        f"which of two texts is nearer to a third differs in at most {bound:.1%} of triples"
        f" ({errors:,} of {n:,})."
    )
    return EmbeddingBound("order", errors / n, bound, n, "triple of texts", said)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))


def _clipped(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Within [0, 1], which rounding may leave by a last bit."""
    return np.clip(losses, 0.0, 1.0)


def _cosine(v: NDArray[np.float64]) -> Callable[[Any, Any], NDArray[np.float64]]:
    return lambda a, b: np.asarray((v[a] * v[b]).sum(axis=1))


def _order(v: NDArray[np.float64], triples: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the second text is nearer to the first than the third is."""
    a, b, c = triples.T
    return np.asarray(_cosine(v)(a, b) > _cosine(v)(a, c))
