from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from limbeck import distill
from limbeck.core.errors import InvalidInput

QUICK: dict[str, Any] = {"queries": 200, "max_leaves": 4}
X = np.random.default_rng(0).normal(size=(400, 3))
SICK = X[:, 0] + 0.3 * np.random.default_rng(1).normal(size=400) > 0
Y = np.where(SICK, "ill", "well")  # sorted, the second class is "well"


def score(X: Any) -> Any:
    """A score of being ill, which is the first class of the sorted ones."""
    return 1 / (1 + np.exp(-4 * np.asarray(X)[:, 0]))


class Three:
    """Three classes by thirds of the first column; columns in an order that no sorting gives."""

    def __call__(self, X: Any) -> Any:
        place = np.digitize(np.asarray(X)[:, 0], [-0.4, 0.4])
        return np.eye(3)[np.array([2, 0, 1])[place]] * 5 - 1


LEVELS = np.array(["low", "mid", "top"])[np.digitize(X[:, 0], [-0.4, 0.4])]


def test_a_guessed_order_that_is_reversed_stops_and_names_the_right_one() -> None:
    with pytest.raises(InvalidInput, match=r"significantly less than by chance") as error:
        distill(score, X, Y, **QUICK)
    assert "classes=['well', 'ill']" in error.value.remedy
    result = distill(score, X, Y, classes=["well", "ill"], **QUICK)
    assert result.comparison.entries[0].accuracy.value > 0.85
    assert not any("significantly" in note for note in result.notes)


def test_an_order_that_was_given_is_kept_with_a_note() -> None:
    result = distill(score, X, Y, classes=["ill", "well"], **QUICK)
    assert "with the classes in the order ['well', 'ill'], on 9" in result.notes[-1]


@pytest.mark.parametrize("wrong", ["classes_", "labels"])
def test_who_names_the_classes_is_believed_with_a_note(wrong: str) -> None:
    model = LogisticRegression().fit(X, np.where(SICK, "well", "ill"))
    teacher = model if wrong == "classes_" else model.predict
    result = distill(teacher, X, Y, **QUICK)
    assert "Check that y and the teacher name the classes alike." in result.notes[-1]
    assert result.comparison.entries[0].accuracy.value < 0.15


def test_three_classes_in_another_order() -> None:
    with pytest.raises(InvalidInput) as error:
        distill(Three(), X, LEVELS, **QUICK)
    assert "classes=['mid', 'top', 'low']" in error.value.remedy
    result = distill(Three(), X, LEVELS, classes=["mid", "top", "low"], **QUICK)
    assert result.comparison.entries[0].accuracy.value == 1.0


def test_stored_scores_are_checked_as_well() -> None:
    with pytest.raises(InvalidInput, match=r"Give classes=\['well', 'ill'\]"):
        distill((X, score(X)), X, Y, max_leaves=4)


def test_a_teacher_at_chance_is_none_in_another_order() -> None:
    noise = np.random.default_rng(5).permutation(Y)
    assert len(distill(score, X, noise, **QUICK).notes) == 1


@pytest.mark.torch
@pytest.mark.parametrize("sigmoid", [False, True])
def test_a_network_with_one_output(sigmoid: bool) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(3, 1), *([torch.nn.Sigmoid()] if sigmoid else []))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[4.0, 0, 0]]))
        net[0].bias.zero_()
    with pytest.raises(InvalidInput, match=r"Give classes=\['well', 'ill'\]"):
        distill(net, X, Y, **QUICK)
    result = distill(net, X, Y, classes=["well", "ill"], **QUICK)
    assert result.comparison.entries[1].accuracy.value > 0.8
