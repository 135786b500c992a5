"""A linear model of n-grams out of a teacher that answers texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.data.ordered_classes import check_ordered, ranks_of
from limbeck.methods.text_method import AnsweredTexts, FoundText, TextMethod
from limbeck.students.text_classifier.search import FoundModel, TextData, TextSettings, search
from limbeck.students.text_classifier.text_classifier import TextClassifier

__all__ = ["DistillNgrams"]


@METHODS.register("ngrams")
@dataclass(frozen=True)
class DistillNgrams(TextMethod):
    """Fit tf-idf n-grams to the teacher's soft answers.

    Parameters
    ----------
    ngrams, max_terms, min_texts
        As in `limbeck.students.text_classifier.text_classifier.TextClassifier`.
    ordered : bool or sequence of classes
        The classes in their order, or True for numbers such as stars: then an n-gram has one
        weight, which moves a text up or down.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    """

    effort: ClassVar[float] = 1.0
    name: ClassVar[str] = "n-grams"

    ngrams: str = "auto"
    max_terms: int = 30_000
    min_texts: int = 2
    ordered: bool | Sequence[Any] = False

    def __post_init__(self) -> None:
        check_ordered(self.ordered)
        TextSettings(self.ngrams, self.max_terms, self.min_texts)

    def fitted(self, data: AnsweredTexts, seed: int, tell: Progress) -> FoundText:
        """The n-grams and the penalty that answer left-out texts best.

        Parameters
        ----------
        data, seed, tell
            As for `TextMethod.fitted`.
        """
        tell("fitting n-grams", 0, 1)
        texts = data.rows.features.texts(data.rows)
        read = TextData(texts, data.soft, data.weight, data.task.classifies)
        ranks = ranks_of(self.ordered, data.task.classes)
        settings = TextSettings(self.ngrams, self.max_terms, self.min_texts, ranks)
        found = search(read, settings, np.random.default_rng(seed))
        student = TextClassifier(self.ngrams, self.max_terms, self.min_texts, data.task)
        student.take(found.families, found.fit, data.rows.features, data.task)
        return FoundText(student, _message(found, len(texts)), _trace(found))


def _message(found: FoundModel, n: int) -> str:
    size = sum(map(len, found.families))
    units = {"both": "words and characters"}.get(found.ngrams, found.ngrams)
    message = f"{size:,} n-grams of {units} with a penalty of {found.penalty:g}"
    if len(found.losses) > 1:
        rest = ", ".join(f"{c} {v:.3f}" for c, v in found.losses.items())
        message += f"; loss on texts left out: {rest}"
    if found.texts < n:
        message += f"; {found.texts:,} of {n:,} texts were read"
    return f"{message}."


def _trace(found: FoundModel) -> dict[str, Any]:
    return {
        "ngrams": found.ngrams,
        "penalty": found.penalty,
        "left_out": found.losses,
        "texts_read": found.texts,
    }
