from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from torch import nn  # noqa: E402

from limbeck.core.answers import ScoreKind  # noqa: E402
from limbeck.core.errors import InvalidInput, TeacherFailed  # noqa: E402
from limbeck.networks.datasets.data import Samples  # noqa: E402
from limbeck.networks.teachers.outside import (  # noqa: E402
    is_outside,
    lines_of,
    name_of,
    outside_teacher,
    without,
)

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
ROWS = torch.from_numpy(X)


def made(teacher: Any, outputs: int = 2, y: Any = Y, **more: Any) -> Any:
    return outside_teacher(teacher, (X, y), Samples.of(X, y), outputs, **more)[0]


def chance(x: Any) -> Any:
    return x[:, :1].sigmoid()


def test_one_probability_is_two_logits_or_one() -> None:
    p = made(chance)
    assert p.kind is ScoreKind.PROBABILITY
    torch.testing.assert_close(p(ROWS).softmax(1)[:, 1:], chance(ROWS))
    torch.testing.assert_close(made(chance, 1)(ROWS), ROWS[:, :1])
    assert (name_of(p), name_of(nn.Linear(2, 2))) == ("chance", "Linear")


@pytest.mark.parametrize("outputs", [1, 2])
def test_an_onnx_file_of_one_column_is_read_as_the_function_is(
    tmp_path: Path, outputs: int
) -> None:
    helper = pytest.importorskip("onnx").helper
    pytest.importorskip("onnxruntime")
    real = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Slice", ["x", "zero", "one", "one"], ["z"]),
         helper.make_node("Sigmoid", ["z"], ["y"])],
        "chance", [real("x", 1, ["n", 3])], [real("y", 1, ["n", 1])],
        [helper.make_tensor("zero", 7, [1], [0]), helper.make_tensor("one", 7, [1], [1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "chance.onnx").write_bytes(model.SerializeToString())
    found = made(tmp_path / "chance.onnx", outputs)
    torch.testing.assert_close(found(ROWS), made(chance, outputs)(ROWS))
    assert name_of(found) == "chance.onnx"


def test_estimators_get_arrays_and_numbers_are_one_column() -> None:
    line = LinearRegression().fit(X, X[:, 1])
    found = made(line, 1, X[:, 1], regression=True)
    assert found.kind is ScoreKind.VALUE
    torch.testing.assert_close(found(ROWS), ROWS[:, 1:2], atol=1e-5, rtol=1e-4)
    model = LogisticRegression().fit(X, Y)
    probabilities = made(model)({"features": ROWS.view(40, 1, 3)}).softmax(1)
    np.testing.assert_allclose(probabilities.numpy(), model.predict_proba(X), atol=1e-6)


def test_stored_scores_are_found_again_by_their_rows() -> None:
    stored = np.random.default_rng(1).normal(size=(40, 3))
    found = made(stored, 3)
    some = torch.tensor([5, 0, 39])
    torch.testing.assert_close(found(ROWS[some]), torch.from_numpy(stored[some]).float())
    assert name_of(found) == "stored scores"
    doubled = {"x": X, "labels": Y}
    assert lines_of(doubled).tolist() == X.tolist()
    assert list(without(doubled, "labels")) == ["x"]
    with pytest.raises(InvalidInput, match="Rows have several inputs"):
        made(LogisticRegression().fit(X, Y))((ROWS, ROWS))


def test_what_is_outside_and_what_is_a_network() -> None:
    for given in (chance, X, "model.onnx", Path("x"), (X, X), LogisticRegression()):
        assert is_outside(given)
    for given in (None, nn.Linear(2, 2), [chance], (chance, chance), 3):
        assert not is_outside(given)


def test_answers_that_cannot_be_used_are_named_with_the_teacher_and_the_row() -> None:
    def broken(x: Any) -> Any:
        raise ValueError("no such row")

    with pytest.raises(InvalidInput, match="teacher broken raised ValueError on some rows: no suc"):
        made(broken)
    with pytest.raises(InvalidInput, match="A int cannot teach a network"):
        made(3)
    found = made(lambda x: torch.where(x[:, :2] > 9, torch.nan, x[:, :2]))
    with pytest.raises(TeacherFailed, match="answers row 2 of a batch with NaN"):
        found(torch.tensor([[0.0, 0, 0], [1, 1, 1], [0, 10, 0]]))


def test_teachers_that_answer_otherwise_have_another_print() -> None:
    one, two, other = made(chance), made(chance), made(lambda x: 1 - chance(x))
    assert one.mark == two.mark != other.mark
    assert one.mark[:16] in repr(one)
