"""The same student on generated texts, and on as many random real ones, labelled by one teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers
from limbeck.core.columns import Features
from limbeck.core.contract import Teacher
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.core.texts import as_texts
from limbeck.data.labels import class_codes
from limbeck.evaluation.comparison import Comparison, ModelPredictions
from limbeck.evaluation.predictions import compare_predictions
from limbeck.methods.soft_answers import soft_of
from limbeck.students.text_classifier.search import TextData, TextSettings, search
from limbeck.students.text_classifier.text_classifier import TextClassifier

__all__ = ["RealRows", "against_real_rows", "split_real_rows"]

_FEWEST = 20  # test rows without which nothing can be told


@dataclass(frozen=True, eq=False)
class RealRows:
    """Real texts, cut into those that a student may learn from and those it is tested on.

    Parameters
    ----------
    train, test : ndarray of shape (n,), object
        The texts.
    train_y, test_y : ndarray of shape (n,) or None
        Their labels as positions of classes; -1 where there is none.
    """

    train: NDArray[Any]
    test: NDArray[Any]
    train_y: NDArray[np.int64] | None = None
    test_y: NDArray[np.int64] | None = None


def split_real_rows(texts: Any, y: NDArray[np.int64] | None, share: float, seed: int) -> RealRows:
    """Cut real texts at random; equal texts come to one side.

    Parameters
    ----------
    texts : n texts
        The real rows.
    y : ndarray of shape (n,) or None
        Labels as positions of classes.
    share : float
        Of the texts, how many are for the test.
    seed : int
        Of the cut.

    Raises
    ------
    InvalidInput
        If too few are left for the test.
    """
    rows = as_texts(texts)
    _, first = np.unique(rows.astype(str), return_index=True)
    order = np.random.default_rng([seed, 1]).permutation(np.sort(first))
    cut = round(share * len(order))
    if cut < _FEWEST or cut > len(order) - 2:
        raise InvalidInput(
            f"Of {len(order):,} different real texts {cut:,} are for the test.",
            f"Give at least {_FEWEST / share:.0f} real texts.",
        )
    test, train = order[:cut], order[cut:]
    labels = (None, None) if y is None else (y[train], y[test])
    return RealRows(rows[train], rows[test], *labels)


def against_real_rows(
    teacher: Teacher,
    texts: Sequence[str],
    real: RealRows,
    *,
    delta: float = 0.05,
    seed: int = 0,
) -> tuple[Comparison, int, NDArray[np.int64]]:
    """Compare the student of generated texts with that of real ones, on real test rows.

    Both learn from as many texts, which are drawn where one set has more; both get the teacher's
    soft labels. Where real texts have labels, the student of these labels is a baseline.

    Parameters
    ----------
    teacher : Teacher
        Who labels; of classes.
    texts : sequence of str
        The generated texts.
    real : RealRows
        As `split_real_rows` returns them.
    delta : float
        One less the level of the intervals.
    seed : int
        Of the draws.

    Returns
    -------
    comparison : Comparison
        ``student`` learned from generated texts, ``control`` from real ones.
    rows : int
        Texts that each learned from.
    told : ndarray of shape (n,)
        The teacher's class of each generated text, as a position.

    Raises
    ------
    InvalidInput
        If there are too few texts.
    """
    rng = np.random.default_rng([seed, 2])
    made = as_texts(list(texts))
    n = min(len(made), len(real.train))
    if n < _FEWEST:
        raise InvalidInput(
            f"{n} texts are too few to train a student on.",
            "Generate more, or give more real ones.",
        )
    told = teacher.scores(made)
    drawn, picked = rng.permutation(len(real.train))[:n], np.sort(rng.permutation(len(made))[:n])
    real_scores = teacher.scores(real.train[drawn])
    truth = answers(teacher.scores(real.test), teacher.task)
    student = _fitted(teacher.task, made[picked], soft_of(told[picked], teacher), seed)
    control = _fitted(teacher.task, real.train[drawn], soft_of(real_scores, teacher), seed)
    models = [
        ModelPredictions("teacher", "teacher", "", truth),
        ModelPredictions("student", f"student of {n:,} generated texts", "", student(real.test)),
        ModelPredictions("control", f"control: {n:,} random real texts, same labels", "",
                         control(real.test)),
    ]  # fmt: skip
    if real.train_y is not None and (real.train_y[drawn] >= 0).all():
        gold = np.eye(teacher.task.outputs)[real.train_y[drawn]]
        own = _fitted(teacher.task, real.train[drawn], gold, seed)
        name = f"the same {n:,} real texts with their own labels"
        models.append(ModelPredictions("baseline", name, "", own(real.test)))
    found = compare_predictions(models, truth, real.test_y, teacher.task, delta)
    return found, n, np.asarray(answers(told, teacher.task), dtype=np.int64)


def _fitted(
    task: Task, texts: NDArray[Any], soft: NDArray[np.float64], seed: int
) -> Callable[[NDArray[Any]], NDArray[np.int64]]:
    """The classifier of n-grams that `limbeck.distill` makes, as a function to class positions."""
    data = TextData(texts, soft, np.ones(len(texts)), task.classifies)
    found = search(data, TextSettings(), np.random.default_rng(seed))
    student = TextClassifier(task=task).take(found.families, found.fit, Features.of(texts), task)
    return lambda some: class_codes(student.predict(some), task.classes)
