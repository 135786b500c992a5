"""What a teacher's outputs are is found, said, and can be set."""

from __future__ import annotations

from html import unescape
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from limbeck import distill
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.task import Task

QUICK: dict[str, Any] = {"method": "greedy", "queries": 60, "max_leaves": 4}
X = np.random.default_rng(0).normal(size=(400, 3))
Y = (X[:, 0] > 0.3).astype(int)
NAMES = np.where(Y, "yes", "no")


def chance(X: Any) -> Any:
    return 1 / (1 + np.exp(-5 * (np.asarray(X)[:, 0] - 0.3)))


@pytest.mark.parametrize(
    "function",
    [
        chance,
        lambda X: chance(X)[:, None],
        lambda X: chance(X) > 0.5,
        lambda X: (chance(X) > 0.5).astype(int),
        lambda X: (chance(X) > 0.5).astype(float),
        lambda X: np.c_[1 - chance(X), chance(X)],
    ],
    ids=["P", "column of P", "booleans", "ints", "floats", "two columns"],
)
@pytest.mark.parametrize("y", [Y, Y.astype(float), Y > 0], ids=["ints", "floats", "booleans"])
def test_every_form_of_the_same_answers_gives_the_same_student(function: Any, y: Any) -> None:
    result = distill(function, X, y, **QUICK)
    assert result.student.task_ == Task((0, 1))
    teacher, student, control, *_ = result.comparison.entries
    assert teacher.accuracy.value == 1.0
    assert student.agreement.value > 0.9
    assert control.accuracy.value > 0.9
    assert len(result.notes) == 1
    assert "Give " in result.notes[0]
    assert result.notes[0] in result.to_dict()["notes"]
    assert result.notes[0].split()[0] in str(result)


def test_text_labels_and_probabilities_of_the_second_class(tmp_path: Any) -> None:
    result = distill(chance, X, NAMES, **QUICK)
    assert result.student.task_ == Task(("no", "yes"))
    assert result.comparison.entries[0].accuracy.value == 1.0
    assert "the probability of 'yes'" in result.notes[0]
    page = unescape(result.report(tmp_path / "page.html").read_text())
    assert "the probability of 'yes'" in page


def test_booleans_are_the_second_of_two_classes_in_words() -> None:
    for given in ({}, {"classes": ["no", "yes"]}):
        result = distill(lambda X: chance(X) > 0.5, X, NAMES, **given, **QUICK)
        assert result.student.task_ == Task(("no", "yes"))
        assert result.comparison.entries[0].accuracy.value == 1.0
    with pytest.raises(InvalidInput, match=r"Give classes=\['yes', 'no'\]"):
        distill(lambda X: chance(X) < 0.5, X, NAMES, **QUICK)


def test_labels_of_a_function_need_no_y() -> None:
    for function, classes in (
        (lambda X: chance(X) > 0.5, (False, True)),
        (lambda X: (chance(X) > 0.5) * 1, (0, 1)),
        (lambda X: np.where(chance(X) > 0.5, "b", "a"), ("a", "b")),
        (lambda X: 3 + (chance(X) > 0.5) + (chance(X) > 0.9), (3, 4, 5)),
    ):
        result = distill(function, X, **QUICK)
        assert result.student.task_ == Task(classes)
        assert "read as labels" in result.notes[0]


def test_both_readings_are_named_where_there_are_two() -> None:
    with pytest.raises(InvalidInput, match=r"probability .* or a number to be predicted"):
        distill(chance, X, **QUICK)
    assert distill(chance, X, regression=True, **QUICK).student.task_ == Task()
    given = distill(chance, X, score_kind="probability", **QUICK)
    assert given.student.task_ == Task((0, 1))
    with pytest.raises(InvalidInput, match=r"logit of 1 or a number"):
        distill(lambda X: chance(X) * 9 - 4, X, Y, **QUICK)
    logit = distill(lambda X: chance(X) * 9 - 4.5, X, Y, score_kind="logit", **QUICK)
    assert logit.comparison.entries[0].accuracy.value == 1.0
    assert "score_kind" not in logit.notes[0]


def test_probabilities_that_leave_their_range_later_are_refused() -> None:
    def strange(X: Any) -> Any:
        return np.where(np.asarray(X)[:, 1] > 2.4, 3.0, chance(X))

    seen = X[X[:, 1] < 2.0]
    with pytest.raises(TeacherFailed, match="taken for probabilities"):
        distill(strange, seen, Y[X[:, 1] < 2.0], holdout=(X[X[:, 1] >= 2.0].repeat(12, 0)
                + np.random.default_rng(0).normal(0, 1e-3, (12 * (X[:, 1] >= 2.0).sum(), 3)),
                np.zeros(12 * (X[:, 1] >= 2.0).sum(), int)), **QUICK)  # fmt: skip


def test_preprocess_lets_the_student_speak_of_the_raw_columns() -> None:
    frame = pd.DataFrame({"colour": np.where(Y, "red", "blue"), "size": X[:, 1]})

    def encode(rows: pd.DataFrame) -> Any:
        return np.c_[(rows["colour"] == "red").astype(float), rows["size"]]

    model = LogisticRegression().fit(encode(frame), NAMES)
    for teacher in (model, lambda A: model.predict_proba(A)[:, 1]):
        result = distill(teacher, frame, NAMES, preprocess=encode, **QUICK)
        assert "colour" in result.student.text()
        assert result.comparison.entries[0].accuracy.value == 1.0


def test_names_for_the_columns_of_an_array() -> None:
    result = distill(chance, X, Y, names=["age", "height", "weight"], **QUICK)
    assert "age" in result.student.text()
    with pytest.raises(InvalidInput, match="2 names for 3 columns"):
        distill(chance, X, Y, names=["age", "height"], **QUICK)


def test_pairs_of_rows_and_labels() -> None:
    one = distill(chance, (X, Y), **QUICK)
    two = distill(chance, X, Y, **QUICK)
    assert one.student.fingerprint() == two.student.fingerprint()
    assert one.comparison == two.comparison
    with pytest.raises(InvalidInput, match="pair"):
        distill(chance, (X, Y), Y, **QUICK)


def test_categories_give_their_own_order_to_scores() -> None:
    y = pd.Categorical(np.where(Y, "high", "medium"), ["medium", "high"])
    result = distill(chance, X, y, **QUICK)
    assert result.student.task_ == Task(("medium", "high"))
    assert result.comparison.entries[0].accuracy.value == 1.0


@pytest.mark.torch
def test_networks_that_end_in_sigmoid_or_softmax() -> None:
    torch = pytest.importorskip("torch")
    one = torch.nn.Linear(3, 1)
    with torch.no_grad():
        one.weight.copy_(torch.tensor([[5.0, 0, 0]]))
        one.bias.fill_(-1.5)
    two = torch.nn.Linear(3, 2)
    with torch.no_grad():
        two.weight.copy_(torch.tensor([[0.0, 0, 0], [5.0, 0, 0]]))
        two.bias.copy_(torch.tensor([0.0, -1.5]))
    for net, words in (
        (one, "the logit of 'yes'"),
        (torch.nn.Sequential(one, torch.nn.Sigmoid()), "the probability of 'yes'"),
        (two, "The 2 outputs of Linear were read as logits"),
        (torch.nn.Sequential(two, torch.nn.Softmax(1)), "were read as probabilities"),
    ):
        result = distill(net, X, NAMES, **QUICK)
        assert result.comparison.entries[0].accuracy.value == 1.0
        assert words in result.notes[0]
