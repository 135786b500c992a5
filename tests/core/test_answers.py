from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from limbeck.core.answers import ScoreKind, answers, probabilities
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task


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
