"""Which n-grams and which penalty: the ones that answer texts best that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.core.errors import InvalidInput, did_you_mean, whole_number
from limbeck.students.text_classifier.fitting import LinearFit, fit_path, losses_of
from limbeck.students.text_classifier.ngrams import Ngrams
from limbeck.students.text_tokens import Unit

__all__ = ["FoundModel", "TextData", "TextSettings", "search"]

Vector = NDArray[np.float64]
PENALTIES: tuple[float, ...] = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6)
ORDERS: dict[Unit, tuple[int, ...]] = {"words": (1, 2), "characters": (2, 3, 4, 5)}
CHOICES: dict[str, tuple[Unit, ...]] = {
    "words": ("words",),
    "characters": ("characters",),
    "both": ("words", "characters"),
}
LEFT_OUT = 0.2
FEWEST = 20  # texts; of fewer none is left out
_CHARACTERS = 20_000_000
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class TextData:
    """Texts with what a teacher, or labels, say of them.

    Parameters
    ----------
    texts : ndarray of shape (n,), object
        The texts.
    soft : ndarray of shape (n, k) or (n, 1)
        Probabilities of classes, or values.
    weight : ndarray of shape (n,)
        How much each text counts.
    classifies : bool
        Whether these are classes.
    """

    texts: NDArray[np.object_]
    soft: Vector
    weight: Vector
    classifies: bool

    def take(self, rows: NDArray[np.int64]) -> TextData:
        """Only some of the texts.

        Parameters
        ----------
        rows : ndarray of int
            Their positions.
        """
        return TextData(self.texts[rows], self.soft[rows], self.weight[rows], self.classifies)


@dataclass(frozen=True)
class TextSettings:
    """The settings of a text classifier; see there.

    Raises
    ------
    InvalidInput
        If one is out of range.
    """

    ngrams: str = "auto"
    max_terms: int = 30_000
    min_texts: int = 2
    ranks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.ngrams != "auto" and self.ngrams not in CHOICES:
            raise InvalidInput(
                f"ngrams is {self.ngrams!r}.", did_you_mean(str(self.ngrams), ["auto", *CHOICES])
            )
        whole_number("max_terms", self.max_terms, 2)
        whole_number("min_texts", self.min_texts, 1)

    @property
    def choices(self) -> tuple[str, ...]:
        """The n-grams that are tried."""
        return tuple(CHOICES) if self.ngrams == "auto" else (self.ngrams,)


@dataclass(frozen=True, eq=False)
class FoundModel:
    """What was found.

    Parameters
    ----------
    families : tuple of Ngrams
        The n-grams.
    fit : LinearFit
        Their weights.
    ngrams : str
        Which choice this is.
    penalty : float
        Of the squared weights.
    texts : int
        How many texts were read.
    losses : mapping from str to float
        Of each choice, at its best penalty, the mean loss on texts that were left out.
    """

    families: tuple[Ngrams, ...]
    fit: LinearFit
    ngrams: str
    penalty: float
    texts: int
    losses: dict[str, float] = field(default_factory=dict)


def search(data: TextData, settings: TextSettings, rng: np.random.Generator) -> FoundModel:
    """The n-grams and the penalty with the smallest loss on a fifth of the texts; fitted to all.

    Of very long or very many texts as many are read, at random, as 20 million characters hold.

    Parameters
    ----------
    data : TextData
        Texts and answers.
    settings : TextSettings
        What is tried.
    rng : numpy.random.Generator
        Chooses the texts that are left out.
    """
    data = data.take(_readable(data, rng))
    families = {unit: _family(data, unit, settings) for unit in _units(settings.choices)}
    if not any(map(len, families.values())):
        raise InvalidInput(
            f"No n-gram occurs in {settings.min_texts} of the {len(data.texts):,} texts.",
            "Give more texts, or min_texts=1.",
        )
    designs = {unit: family.matrix(data.texts) for unit, family in families.items()}
    best, penalties, losses = settings.choices[0], PENALTIES[:3], {}
    order = rng.permutation(len(data.texts))
    cut = round(LEFT_OUT * len(order)) if len(order) >= FEWEST else 0
    if cut:
        out, rest = order[:cut], np.sort(order[cut:])
        curves = {
            c: _left_out(_joined(c, designs), data, rest, out, settings.ranks)
            for c in settings.choices
        }
        losses = {choice: float(min(curve)) for choice, curve in curves.items()}
        best = min(losses, key=lambda choice: losses[choice])
        penalties = PENALTIES[: int(np.argmin(curves[best])) + 1]
    design = _joined(best, designs)
    *_, fit = fit_path(design, data.soft, data.weight, data.classifies, penalties, settings.ranks)
    used = tuple(families[unit] for unit in CHOICES[best])
    return FoundModel(used, _rounded(fit), best, penalties[-1], len(data.texts), losses)


def _readable(data: TextData, rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions of the texts that count; of too many a random part."""
    used = np.flatnonzero(data.weight > 0)
    sizes = np.array([len(text) for text in data.texts[used]])
    if sizes.sum() <= _CHARACTERS:
        return used
    order = rng.permutation(len(used))
    held = int((np.cumsum(sizes[order]) <= _CHARACTERS).sum())
    return np.sort(used[order[: max(held, 1)]])


def _units(choices: Sequence[str]) -> list[Unit]:
    return [unit for unit in ORDERS if any(unit in CHOICES[choice] for choice in choices)]


def _family(data: TextData, unit: Unit, settings: TextSettings) -> Ngrams:
    both = settings.ngrams in ("auto", "both")
    most = settings.max_terms // 2 if both else settings.max_terms
    return Ngrams.of(data.texts, unit, ORDERS[unit], settings.min_texts, most)


def _joined(choice: str, designs: dict[Unit, csr_array]) -> csr_array:
    """The columns of a choice, as `stacked` makes them."""
    from scipy.sparse import hstack

    parts = [designs[unit] for unit in CHOICES[choice]]
    return parts[0] if len(parts) == 1 else csr_array(hstack(parts)) / np.sqrt(len(parts))


def _left_out(
    design: csr_array,
    data: TextData,
    rest: NDArray[np.int64],
    out: NDArray[np.int64],
    ranks: Sequence[int] | None,
) -> list[float]:
    """The mean loss on texts left out, for each penalty down to the first that is too small."""
    known = data.take(rest)
    part, losses = design[out], []
    for fit in fit_path(design[rest], known.soft, known.weight, known.classifies, PENALTIES, ranks):
        each = losses_of(fit, part, data.soft[out], data.classifies)
        losses.append(float(np.average(each, weights=data.weight[out])))
        if losses[-1] > min(losses):  # the loss falls and then rises
            break
    return losses


def _rounded(fit: LinearFit) -> LinearFit:
    """Weights with four digits after the largest one's first, as they are written."""
    largest = float(np.abs(fit.weights).max(initial=0.0)) or 1.0
    digits = _DIGITS - int(np.floor(np.log10(largest)))
    return LinearFit(np.round(fit.weights, digits) + 0.0, np.round(fit.intercept, digits) + 0.0)
