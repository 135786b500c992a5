"""What outputs are: known answers, and refusals of what may be two things."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.data.scores import KnownOutputs, read_scores, sums_to_one, within_one

P = np.array([0.2, 0.7, 0.4, 0.9])
Z = np.array([-1.5, 0.3, 2.0, -0.1])
LABEL, LOGIT, PROBABILITY, VALUE = (
    ScoreKind.LABEL, ScoreKind.LOGIT, ScoreKind.PROBABILITY, ScoreKind.VALUE,
)  # fmt: skip
YES = ("no", "yes")


def read(outputs: Any, **known: Any) -> Any:
    return read_scores(np.asarray(outputs), KnownOutputs("f", **known))


@pytest.mark.parametrize(
    ("outputs", "known", "task", "kind"),
    [
        # labels name their class
        (["b", "a", "b"], {}, ("a", "b"), LABEL),
        ([True, False, True], {}, (False, True), LABEL),
        ([True, True], {}, (False, True), LABEL),
        ([0, 1, 1], {}, (0, 1), LABEL),
        ([0.0, 1.0, 1.0], {}, (0, 1), LABEL),
        ([0.0, 0.0], {}, (0, 1), LABEL),
        ([3, 5, 3], {}, (3, 5), LABEL),
        ([True, False], {"labels": (0, 1)}, (0, 1), LABEL),
        ([0.0, 1.0], {"labels": (0, 1)}, (0, 1), LABEL),
        (["no", "perhaps"], {"labels": YES}, ("no", "yes", "perhaps"), LABEL),
        ([0, 2, 1, 2], {"labels": (0, 1, 2)}, (0, 1, 2), LABEL),
        ([0, 7], {"classes": [0, 1]}, (0, 1), LABEL),  # refused when the rows are answered
        ([True, False], {"labels": YES}, YES, PROBABILITY),
        ([True, False], {"classes": YES}, YES, PROBABILITY),
        # one number for two classes
        (P, {"labels": (0, 1)}, (0, 1), PROBABILITY),
        (P, {"labels": YES}, YES, PROBABILITY),
        (P / 9, {"labels": YES}, YES, PROBABILITY),
        (P[:, None], {"classes": YES}, YES, PROBABILITY),
        ([0.0, 1.0], {"labels": YES}, YES, PROBABILITY),
        (P, {"labels": YES, "network": True}, YES, PROBABILITY),  # as logits all would be "yes"
        (P / 9, {"labels": YES, "network": True, "sigmoid": True}, YES, PROBABILITY),
        (Z, {"labels": YES, "network": True}, YES, LOGIT),
        (Z, {"labels": YES, "kind": "logit"}, YES, LOGIT),
        (P, {"kind": "probability"}, (0, 1), PROBABILITY),
        # numbers
        (Z, {}, (), VALUE),
        (Z, {"labels": None}, (), VALUE),
        (P, {"labels": None}, (), VALUE),
        (Z, {"labels": None, "network": True}, (), VALUE),
        (Z, {"labels": (1, 2, 3)}, (), VALUE),  # counts, predicted by fractions
        (P, {"regression": True}, (), VALUE),
        ([0, 1], {"regression": True}, (), VALUE),
        ([0, 1], {"kind": "value"}, (), VALUE),
        # a column for each class
        (np.eye(3), {}, (0, 1, 2), PROBABILITY),
        (np.c_[1 - P, P], {"labels": YES}, YES, PROBABILITY),
        (np.c_[1 - P, P].astype(np.float16), {"labels": YES}, YES, PROBABILITY),
        (np.c_[Z, -Z], {"labels": YES}, YES, LOGIT),
        (np.c_[P, P], {"labels": YES}, YES, LOGIT),
        (np.eye(3), {"labels": (0, 2)}, (0, 1, 2), PROBABILITY),
    ],
)
def test_what_outputs_are(outputs: Any, known: Any, task: Any, kind: ScoreKind) -> None:
    found = read(outputs, **known)
    assert (found.task, found.kind) == (Task(task), kind)


@pytest.mark.parametrize(
    ("outputs", "known", "one", "two"),
    [
        (P, {}, "probability of the second of two classes", "a number to be predicted"),
        (P, {"network": True}, "probability of the second", "a number to be predicted"),
        (Z, {"network": True}, "logit of the second", "a number to be predicted"),
        (P / 9, {"labels": YES, "network": True}, "probability of 'yes'", "its logit"),
        (Z, {"labels": YES}, "logit of 'yes'", "a number to be predicted"),
        ([1.0, 2.0, 1.0, 2.0], {}, "labels of classes", "amounts"),
    ],
)
def test_two_readings_are_refused_with_both(outputs: Any, known: Any, one: str, two: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read(outputs, **known)
    assert one in error.value.problem
    assert two in error.value.problem
    assert one in error.value.remedy
    assert two in error.value.remedy


@pytest.mark.parametrize(
    ("outputs", "known", "message"),
    [
        (np.eye(3), {"labels": YES}, r"3 output\(s\) for 2 classes"),
        (np.eye(3), {"classes": "ab"}, r"3 output\(s\) for 2 classes"),
        (np.eye(3), {"labels": None}, "3 outputs, and y holds numbers"),
        (Z, {"labels": ("a", "b", "c")}, "one output.*for 3 classes"),
        (Z, {"classes": [1, 2, 3]}, "one output.*for 3 classes"),
        (P, {"classes": "abc", "kind": "probability"}, r"1 output\(s\) for 3 classes"),
        (["a", "b"], {"labels": YES}, "answers with 'a', and y holds 'no': no label in common"),
        (["a", "b"], {"kind": "logit"}, "returns labels such as 'a'"),
        ([["a", "b"]], {}, "not numbers"),
        (P, {"classes": YES, "regression": True}, "of which a number was asked"),
        (P, {"kind": "logit", "unit": "mm"}, "of which a number was asked"),
    ],
)
def test_what_does_not_fit_is_refused(outputs: Any, known: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read(outputs, **known)


def test_what_was_guessed_is_said_and_how_to_set_it() -> None:
    found = read(P, labels=YES)
    assert found.note == (
        "The output of f was read as the probability of 'yes', with the classes 'no', 'yes'"
        " (sorted, from y) in this order. Give classes=[...] or score_kind=... if that is wrong."
    )
    assert found.order_guessed
    assert read(P, classes=YES, kind="probability").note == ""
    assert not read(P, classes=YES).order_guessed
    assert read(P, classes=YES).note.endswith("Give score_kind=... if that is wrong.")
    labels = read([0, 1])
    assert labels.note.startswith("The answers of f were read as labels of the classes 0, 1.")
    assert not labels.order_guessed
    assert "number to be predicted" in read(Z).note
    assert read(Z, regression=True).note == ""


@given(
    st.lists(st.floats(-20, 20, allow_subnormal=False), min_size=3, max_size=3),
    st.sampled_from([np.float64, np.float32, np.float16]),
)
def test_a_softmax_is_a_distribution_at_every_precision(z: list[float], dtype: Any) -> None:
    e = np.exp(np.array(z) - max(z))
    assert sums_to_one((e / e.sum())[None].astype(dtype))
    assert within_one((1 / (1 + np.exp(-np.array(z)))).astype(dtype))


def test_distributions_and_what_is_none() -> None:
    assert not sums_to_one(np.array([[0.5, 0.4]]))
    assert not sums_to_one(np.array([[1.5, -0.5]]))
    assert not within_one(np.array([0.5, 1.2]))
    assert sums_to_one(np.full((2, 5, 4), 0.25))


def test_half_precision_may_round_further() -> None:
    assert within_one(np.array([1.005], dtype=np.float16))
    assert not within_one(np.array([1.005], dtype=np.float32))
    assert not within_one(np.array([1.02], dtype=np.float16))


def test_the_first_output_is_shown_beside_the_two_readings() -> None:
    with pytest.raises(InvalidInput) as error:
        read(np.array([0.1, 0.2, 0.3]), labels=YES, network=True)
    assert "0.1 for the first row" in error.value.problem
