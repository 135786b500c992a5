from __future__ import annotations

import numpy as np
import pytest

from limbeck.certificates.losses import choose_loss, encode_answers, encode_predictions
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Label, Task

CLASSES, NUMBER = Task(classes=("no", "yes")), Task(unit="K")


def test_the_task_chooses_the_loss() -> None:
    assert choose_loss(None, None, None, CLASSES).name == "disagreement"
    found = choose_loss(None, None, None, NUMBER)
    assert (found.name, found.unit, found.finds_tolerance, found.counts) == (
        "exceeds",
        "K",
        True,
        True,
    )
    fixed = choose_loss("tolerance", None, 0.5, NUMBER)
    assert not fixed.finds_tolerance
    mean = choose_loss("absolute", (0, 3), None, NUMBER)
    assert (mean.low, mean.high, mean.counts) == (0.0, 3.0, False)


def test_losses_by_hand() -> None:
    p, a = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 1.0])

    def each(name: str, span: tuple[float, float] | None, tolerance: float | None) -> list[float]:
        return choose_loss(name, span, tolerance, NUMBER).each(p, a, p, a).tolist()

    assert each("absolute", (0, 9), None) == [0, 0.5, 2]
    assert each("squared", (0, 9), None) == [0, 0.25, 4]
    assert each("tolerance", None, 0.5) == [0, 0, 1]
    assert each("tolerance", None, None) == [0, 0.5, 2]
    differ = choose_loss("disagreement", None, None, CLASSES)
    assert differ.each(p, a, p, a).tolist() == [0, 1, 1]


def test_a_function_called_like_a_count_is_no_count() -> None:
    def disagreement(predicted: object, answers: object) -> list[float]:
        return [0.5]

    own = choose_loss(disagreement, (0, 1), None, CLASSES)
    assert own.name == "disagreement"
    assert not own.counts


@pytest.mark.parametrize(
    ("classes", "answers", "codes"),
    [
        (("no", "yes"), np.array(["yes", "no"]), [1, 0]),
        (("no", "yes"), ["yes", "no"], [1, 0]),
        ((0, 1), np.array([1, 0], dtype=np.int8), [1, 0]),
        ((0, 1), np.array([1.0, 0.0]), [1, 0]),
        ((False, True), np.array([True, False]), [1, 0]),
        ((3, 7, 5), [[5], [3]], [2, 0]),
    ],
)
def test_labels_of_every_kind(
    classes: tuple[Label, ...], answers: object, codes: list[int]
) -> None:
    assert encode_answers(answers, 2, Task(classes))[1].tolist() == codes
    assert encode_predictions(answers, 2, Task(classes))[1].tolist() == codes


def test_numbers_are_not_text() -> None:
    with pytest.raises(InvalidInput, match=r"'1' \(str\).*classes are int"):
        encode_answers(np.array(["1", "0"]), 2, Task((0, 1)))


def test_unknown_predictions_are_wrong_but_allowed() -> None:
    assert encode_predictions(["maybe", "yes"], 2, CLASSES)[1].tolist() == [-1, 1]
