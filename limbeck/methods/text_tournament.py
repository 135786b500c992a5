"""Which kind of text student: the one that agrees with the teacher on texts that it did not see."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.progress import Progress, quiet
from limbeck.core.registry import METHODS
from limbeck.data.ordered_classes import check_ordered
from limbeck.data.splits import split_folds
from limbeck.methods.ngrams import DistillNgrams
from limbeck.methods.text_embeddings import DistillTextEmbeddings
from limbeck.methods.text_encoder import DistillTextEncoder
from limbeck.methods.text_method import AnsweredTexts, FoundText, TextMethod
from limbeck.students.files import canonical

__all__ = ["KINDS", "UNORDERED", "DistillTexts", "TextCandidate"]

KINDS = ("ngrams", "embeddings", "network", "encoder")
"""The kinds of students, the ones that are quickest to read first."""
UNORDERED = "classes without order"
"""The baseline: the same n-grams with a weight for each class."""
_FOLDS, _FEWEST, _NEAR, _TIMED = 3, 60, 0.005, 200


@dataclass(frozen=True)
class TextCandidate:
    """A kind of student that took part, as the result's table shows it.

    Parameters
    ----------
    kind : str
        Its name.
    agreement : float or None
        With the teacher on texts left out: a share of texts, or R squared of values; None where
        it could not take part.
    error : float or None
        One standard error of it over the texts.
    bytes : int
        Of the file that `save` writes.
    milliseconds : float
        Processor time a text, of predicting up to 200 texts at once.
    seconds : float
        Processor time of fitting it to all texts.
    chosen : bool
        Whether it is the student.
    why : str
        Why it did not take part, or empty.
    """

    kind: str
    agreement: float | None = None
    error: float | None = None
    bytes: int = 0
    milliseconds: float = 0.0
    seconds: float = 0.0
    chosen: bool = False
    why: str = ""


@METHODS.register("text_tournament")
@dataclass(frozen=True)
class DistillTexts(TextMethod):
    """Cross-fit kinds of text students, and take the one that agrees most with the teacher.

    Each kind learns from two thirds of the texts and answers the last third, three times. Of those
    within half a point of the best the one with the smallest file is taken, fitted to all texts.

    Parameters
    ----------
    among : sequence of {"ngrams", "embeddings", "network", "encoder"}, optional
        The kinds: n-grams, a linear model or a small network on static embeddings, and a
        fine-tuned encoder. By default all that can run here, the last where ``encoder`` is given;
        n-grams alone where ``ngrams`` is given.
    encoder, epochs
        As in `limbeck.methods.text_encoder.DistillTextEncoder`.
    embedding, width
        As in `limbeck.methods.text_embeddings.DistillTextEmbeddings`.
    ngrams, max_terms, min_texts
        As in `limbeck.students.text_classifier.text_classifier.TextClassifier`.
    ordered : bool or sequence of classes
        The classes in their order, such as ``["low", "middle", "high"]``, or True for numbers such
        as stars: n-grams then have one weight each, and the student without the order stands
        beside it.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    method: ClassVar[str] = "tournament"
    default: ClassVar[bool] = True
    effort: ClassVar[float] = 3.0
    name: ClassVar[str] = "text students"

    among: Sequence[str] | None = None
    encoder: str | None = None
    epochs: int = 2
    embedding: Any = None
    width: int = 64
    ngrams: str = "auto"
    max_terms: int = 30_000
    min_texts: int = 2
    ordered: bool | Sequence[Any] = False

    def __post_init__(self) -> None:
        check_ordered(self.ordered)
        if self.ordered is not False and self._named() != ("ngrams",):
            raise InvalidInput(
                f"ordered was given beside among={self.among!r}.",
                "Only n-grams keep the order of classes: leave among out.",
            )
        for kind in self._named():
            if kind not in KINDS:
                raise InvalidInput(f"There is no kind {kind!r}.", did_you_mean(str(kind), KINDS))
            self.method_of(kind)
        if not self._named():
            raise InvalidInput("among is empty.", f"Name some of {', '.join(map(repr, KINDS))}.")

    def fitted(self, data: AnsweredTexts, seed: int, tell: Progress) -> FoundText:
        """The kind that agrees most on texts left out, fitted to all of them.

        Parameters
        ----------
        data, seed, tell
            As for `TextMethod.fitted`.
        """
        able = {kind: _lacking(kind) for kind in self._named()}
        kinds = [kind for kind, why in able.items() if not why] or [self._named()[0]]
        left_out = "".join(f" {_NAMED[k]}: {why}." for k, why in able.items() if why)
        if len(kinds) == 1 or len(data.rows) < _FEWEST:
            found = self.method_of(kinds[0]).fitted(data, seed, tell)
            message = f"{found.message}{left_out}"
            return FoundText(found.student, message, {"kind": kinds[0], **found.trace})
        right = {kind: self._left_out(kind, data, seed, tell) for kind in kinds}
        tried, seconds = {}, {}
        for kind in kinds:
            before = time.process_time()
            tried[kind] = self.method_of(kind).fitted(data, seed, tell)
            seconds[kind] = time.process_time() - before
        sizes = {k: len(canonical(f.student.to_dict()).encode()) for k, f in tried.items()}
        scored = {k: _agreement(r, data) for k, r in right.items()}
        best = max(value for value, _ in scored.values())
        near = [k for k in kinds if scored[k][0] >= best - _NEAR]
        chosen = min(near, key=lambda k: sizes[k])
        rows = [
            TextCandidate(
                kind, round(scored[kind][0], 4), round(scored[kind][1], 4), sizes[kind],
                _milliseconds(tried[kind].student, data), round(seconds[kind], 3), kind == chosen,
            )
            for kind in kinds
        ] + [TextCandidate(kind, why=why) for kind, why in able.items() if why]  # fmt: skip
        found = tried[chosen]
        kind = f"{_NAMED[chosen][0].upper()}{_NAMED[chosen][1:]}"
        message = f"{kind}, of {len(kinds)} kinds of students. {found.message}{left_out}"
        trace = {"kind": chosen, "text_students": [vars(row) for row in rows], **found.trace}
        return FoundText(found.student, message, trace)

    def same_kind(self, found: FoundText) -> TextMethod:
        """The method of the kind that was chosen.

        Parameters
        ----------
        found : FoundText
            What `fitted` returned.
        """
        return self.method_of(found.trace["kind"])

    def taught_hard(
        self, data: AnsweredTexts, found: FoundText, seed: int, tell: Progress
    ) -> dict[str, Any]:
        """The same kind taught hard answers; of ordered classes also the student without order.

        Parameters
        ----------
        data, found, seed, tell
            As for `TextMethod.taught_hard`.
        """
        made = super().taught_hard(data, found, seed, tell)
        if self.ordered is not False and data.task.classifies and len(data.task.classes) > 2:
            plain = replace(self, ordered=False, among=("ngrams",))
            made[UNORDERED] = plain.fitted(data, seed, tell).student
        return made

    def _named(self) -> tuple[str, ...]:
        if self.among is None:
            if self.ngrams != "auto" or self.ordered is not False:
                return ("ngrams",)
            return KINDS if self.encoder is not None else KINDS[:-1]
        return (self.among,) if isinstance(self.among, str) else tuple(self.among)

    def method_of(self, kind: str) -> TextMethod:
        """The method of one kind.

        Parameters
        ----------
        kind : str
            Its name.
        """
        if kind == "ngrams":
            return DistillNgrams(self.ngrams, self.max_terms, self.min_texts, self.ordered)
        if kind == "encoder":
            return DistillTextEncoder(self.encoder or "", self.epochs)
        head = "linear" if kind == "embeddings" else "network"
        return DistillTextEmbeddings(self.embedding, head, self.width)

    def _left_out(
        self, kind: str, data: AnsweredTexts, seed: int, tell: Progress
    ) -> NDArray[np.float64]:
        """Which texts a student answers as the teacher that did not learn from them, shape (n,).

        Of values the squared error.
        """
        fold = split_folds(data.rows.values, np.random.default_rng(seed), _FOLDS)
        out = np.empty(len(data.rows))
        for one in range(_FOLDS):
            tell(f"cross-fitting {_NAMED[kind]}", one, _FOLDS)
            rest, apart = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
            student = self.method_of(kind).fitted(data.take(rest), seed, quiet).student
            said = student.predict(data.rows[apart])
            if data.task.classifies:
                out[apart] = said == data.task.labels[data.soft[apart].argmax(axis=1)]
            else:
                out[apart] = (said - data.soft[apart, 0]) ** 2
        return out


_NAMED = {
    "ngrams": "n-grams",
    "embeddings": "static embeddings with a linear model",
    "network": "static embeddings with a small network",
    "encoder": "a fine-tuned encoder",
}


def _lacking(kind: str) -> str:
    """What a kind needs and is not there."""
    if kind != "ngrams" and importlib.util.find_spec("tokenizers") is None:
        return "needs the package tokenizers: pip install 'limbeck[embeddings]'"
    return ""


def _agreement(right: NDArray[np.float64], data: AnsweredTexts) -> tuple[float, float]:
    """The weighted mean with its standard error; R squared of values."""
    share = data.weight / data.weight.sum()
    mean = float(share @ right)
    error = float(np.sqrt((share**2) @ (right - mean) ** 2))
    if data.task.classifies:
        return mean, error
    values = data.soft[:, 0]
    spread = float(share @ (values - share @ values) ** 2) or 1e-300
    return 1 - mean / spread, error / spread


def _milliseconds(student: Any, data: AnsweredTexts) -> float:
    """Processor time a text, best of three goes."""
    some = data.rows[np.arange(min(len(data.rows), _TIMED))].native()
    best = np.inf
    for _ in range(3):
        before = time.process_time()
        student.predict(some)
        best = min(best, time.process_time() - before)
    return round(1000 * best / len(some), 5)
