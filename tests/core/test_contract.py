from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from limbeck.core.contract import (
    Access,
    Certificate,
    ScoreKind,
    Task,
    TaskKind,
    answers,
    probabilities,
)
from limbeck.core.errors import InvalidInput


def test_access_is_said_in_words() -> None:
    assert str(Access.SCORES | Access.QUERIES) == "scores, queries"
    assert str(Access(0)) == "nothing"


def test_labels_keep_their_own_type() -> None:
    assert Task((0, 1, 2)).labels.dtype.kind == "i"
    assert Task(("no", "yes")).labels.tolist() == ["no", "yes"]
    mixed = Task((False, "x")).labels
    assert mixed.dtype == object
    assert mixed[0] is False
    assert not Task(unit="mm").classifies


def test_a_task_knows_its_kind_and_outputs_by_what_is_named() -> None:
    assert (Task(("no", "yes")).kind, Task(("no", "yes")).outputs) == ("classification", 2)
    assert (Task(unit="mm").kind, Task(unit="mm").outputs) == ("regression", 1)
    assert Task(("no", "yes")) == Task(("no", "yes"), kind=TaskKind.CLASSIFICATION, outputs=2)
    assert Task(("no", "yes")) != Task.of("classification", 2)  # without names


@pytest.mark.parametrize("kind", list(TaskKind))
def test_what_a_kind_of_task_answers(kind: TaskKind) -> None:
    task = Task.of(str(kind), 5)
    assert task.kind is kind
    assert task.outputs == 5
    assert task.classifies == (kind in ("classification", "tokens", "language"))
    assert task.sequential == (kind in ("tokens", "language"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Task.of("clasification", 2), "Did you mean 'classification'"),
        (lambda: Task.of("tokens", 0), "tokens has no outputs"),
        (lambda: Task(("a", "b"), outputs=3), "2 classes were given for classification with 3"),
        (lambda: Task(("a", "b"), kind=TaskKind.REGRESSION), "leave classes out"),
    ],
)
def test_a_task_that_contradicts_itself_is_refused(made: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        made()


def test_answers_are_the_first_best_class_or_the_value() -> None:
    scores = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert answers(scores, Task(("a", "b"))).tolist() == [1, 0]
    assert answers(np.array([[3.5], [-1.0]]), Task()).tolist() == [3.5, -1.0]


def test_probabilities_agree_with_scipy_at_any_temperature() -> None:
    z = np.random.default_rng(0).standard_normal((50, 4)) * 30
    for t in (0.5, 1.0, 4.0):
        np.testing.assert_allclose(
            probabilities(z, ScoreKind.LOGIT, t), softmax(z / t, axis=1), rtol=1e-12
        )
    p = softmax(z, axis=1)
    np.testing.assert_array_equal(probabilities(p, ScoreKind.PROBABILITY), p)
    np.testing.assert_allclose(
        probabilities(p, ScoreKind.PROBABILITY, 4.0), softmax(z / 4, axis=1), rtol=1e-6, atol=1e-12
    )
    certain = probabilities(np.array([[1.0, 0.0]]), ScoreKind.PROBABILITY, 2.0)
    assert certain.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("kind", "temperature", "says"),
    [
        (ScoreKind.LABEL, 2.0, "labels only"),
        (ScoreKind.VALUE, 1.0, "predicts a number"),
        (ScoreKind.LOGIT, 0.0, "temperature is 0"),
        (ScoreKind.LOGIT, float("nan"), "temperature is nan"),
    ],
)
def test_a_temperature_where_it_means_nothing(
    kind: ScoreKind, temperature: float, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        probabilities(np.eye(2), kind, temperature)


def test_reached_compares_with_what_was_asked() -> None:
    def certificate(asked: float | None) -> Certificate:
        return Certificate(0.05, 0.05, 100, 0.0, "disagreement", "", "", (), "", "", asked)

    assert certificate(None).reached
    assert certificate(0.05).reached
    assert not certificate(0.04).reached
