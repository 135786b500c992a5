"""A linear model of the words and characters of a text, which predicts without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.targets import TaskLike
from limbeck.students.text_classifier.fitting import LinearFit
from limbeck.students.text_classifier.ngrams import Ngrams, stacked
from limbeck.students.text_classifier.search import TextData, TextSettings, search
from limbeck.students.text_classifier.text import Deciding, deciding, described
from limbeck.students.text_classifier.text_student import TextStudent, texts_of
from limbeck.students.text_tokens import blocks

__all__ = ["TextClassifier"]


@STUDENTS.register("text_classifier")
class TextClassifier(TextStudent):
    """Tf-idf of n-grams of words and of characters, with a linear, logistic or softmax model.

    No list of words of any language is used. An unknown n-gram counts as nothing: a text of which
    none is known gets the most frequent answer.

    Parameters
    ----------
    ngrams : {"auto", "words", "characters", "both"}
        Words and pairs of words, runs of 2 to 5 characters, or both. By default the one with the
        smallest loss on a fifth of the texts that is left out.
    max_terms : int
        N-grams at most, the most frequent ones; half of them of each unit where there are both.
    min_texts : int
        In how many texts an n-gram occurs at least.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.

    Attributes
    ----------
    families_ : tuple of Ngrams
        The n-grams, of each unit.
    model_ : LinearFit
        Their weights.
    features_, task_, classes_, n_features_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> texts = ["good film", "a good play", "bad film", "a bad play"] * 5
    >>> student = TextClassifier("words").fit(texts, ["yes", "yes", "no", "no"] * 5)
    >>> student.predict(["good!", "so bad"]).tolist()
    ['yes', 'no']
    """

    size_unit = "n-grams"

    def __init__(
        self,
        ngrams: str = "auto",
        max_terms: int = 30_000,
        min_texts: int = 2,
        task: TaskLike = None,
    ) -> None:
        self.ngrams, self.max_terms, self.min_texts, self.task = ngrams, max_terms, min_texts, task

    def _fitted(self, data: TextData, features: Features, task: Task) -> Self:
        settings = TextSettings(self.ngrams, self.max_terms, self.min_texts)
        found = search(data, settings, np.random.default_rng(0))
        return self.take(found.families, found.fit, features, task)

    def take(
        self, families: Sequence[Ngrams], fit: LinearFit, features: Features, task: Task
    ) -> Self:
        """The student itself, as a search found it.

        Parameters
        ----------
        families : sequence of Ngrams
            The n-grams.
        fit : LinearFit
            Their weights.
        features : Features
            The column of texts.
        task : Task
            What is predicted.
        """
        self._hold(features, task)
        self.families_, self.model_ = tuple(families), fit
        self._importances = np.full(len(features), 1 / len(features))  # not told apart
        return self

    @property
    def size(self) -> int:
        """The number of n-grams."""
        return sum(map(len, self.families_))

    @property
    def numbers(self) -> int:
        """Weights and levels."""
        return int(self.model_.numbers)

    def _sums(self, texts: NDArray[Any]) -> NDArray[np.float64]:
        out = np.empty((len(texts), len(self.model_.intercept)))
        for part in blocks(texts):
            out[part] = self.model_.scores(stacked(self.families_, texts[part]))
        return out

    def explain(self, text: str) -> list[tuple[str, float]]:
        """What each n-gram of one text adds to the sum of the answer, the largest first.

        Parameters
        ----------
        text : str
            One text.

        Returns
        -------
        list of (str, float)
            Together with the level they are the sum; of two classes the log-odds of the answer.
        """
        total = self.decision_function([text])
        row = stacked(self.families_, texts_of(self.features_, [text])).toarray()[0]
        used = np.flatnonzero(row)
        if total.ndim == 2:
            weights = self.model_.weights[:, int(total[0].argmax())]
        else:
            sign = -1.0 if self.task_.classifies and total[0] <= 0 else 1.0
            weights = sign * self.model_.weights[:, 0]
        added = row[used] * weights[used]
        terms = self._terms()
        order = np.argsort(-np.abs(added), kind="stable")
        return [(terms[used[i]], float(added[i])) for i in order]

    def text(self) -> str:
        """The n-grams that decide, for each class."""
        check_is_fitted(self)
        return visible(described(self._deciding(), self))

    def _deciding(self) -> Deciding:
        return deciding(self._terms(), self.model_.weights, self.task_)

    def _terms(self) -> list[str]:
        return [
            term if family.unit == "words" else f"“{term}”"
            for family in self.families_
            for term in family.terms
        ]

    def to_dict(self) -> dict[str, Any]:
        """All that it is, ready for JSON."""
        families = [
            {"unit": f.unit, "terms": list(f.terms), "idf": f.idf.tolist()} for f in self.families_
        ]
        return {
            **self._head("text_classifier"),
            "families": families,
            "weights": self.model_.weights.T.tolist(),
            "intercept": self.model_.intercept.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """What `to_dict` wrote.

        Raises
        ------
        FileRefused
            If it is malformed.
        """
        features, task = files.read_head(data, "text_classifier")
        families, fit = files.parsed(data, lambda given: _read(given, task))
        return cls(task=task).take(families, fit, features, task)._recall(data)


def _read(data: dict[str, Any], task: Task) -> tuple[list[Ngrams], LinearFit]:
    families = []
    for given in data["families"]:
        terms, idf = tuple(given["terms"]), np.array(given["idf"], dtype=np.float64)
        if given["unit"] not in ("words", "characters"):
            raise ValueError(f"n-grams are made of words or characters, not {given['unit']!r}")
        if not all(isinstance(t, str) and t for t in terms) or len(set(terms)) < len(terms):
            raise ValueError("n-grams must be different texts")
        if idf.shape != (len(terms),) or not (np.isfinite(idf) & (idf > 0)).all():
            raise ValueError("the weights of n-grams do not fit them")
        families.append(Ngrams(given["unit"], terms, idf))
    fit = LinearFit(
        np.array(data["weights"], dtype=np.float64).T.copy(),
        np.array(data["intercept"], dtype=np.float64),
    )
    outputs = len(task.classes) if len(task.classes) > 2 else 1
    shape = (sum(map(len, families)), outputs)
    if not families or fit.weights.shape != shape or fit.intercept.shape != (outputs,):
        raise ValueError(f"the weights are not of shape {shape}")
    if not (np.isfinite(fit.weights).all() and np.isfinite(fit.intercept).all()):
        raise ValueError("a weight is not finite")
    return families, fit
