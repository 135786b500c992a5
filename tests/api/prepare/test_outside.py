"""Networks taught by functions, estimators, ONNX files and stored scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from torch import Tensor, nn

import limbeck
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.networks import GoldLabels, HiddenStates, Logits, SoftTargets, TeacherLabels
from tests.api.test_distill_network import FAST, Truth, rows, small

SOFT = 0.9 * SoftTargets(temperature=2.0) + 0.1 * GoldLabels()


def fixed(outputs: int = 3) -> nn.Module:
    torch.manual_seed(3)
    return small() if outputs == 3 else nn.Linear(6, outputs)


def distilled(teacher: Any, objective: Any = SOFT, data: Any = None, **more: Any) -> Any:
    given = FAST | {"into": fixed(), "test": rows(60, 1), "baseline": False, "timing": False}
    data = rows(120, 0) if data is None else data
    return limbeck.distill(teacher, data, objective=objective, **(given | more))


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def same(one: Any, two: Any) -> None:
    torch.testing.assert_close(weights(one.student), weights(two.student), rtol=1e-3, atol=1e-4)


TRUTH = Truth().eval()


def logits(x: Tensor) -> Tensor:
    with torch.no_grad():
        return TRUTH(x)


def probabilities(x: Tensor) -> np.ndarray:
    return logits(x).softmax(1).numpy()


@pytest.mark.parametrize(("teacher", "what"), [(logits, "logits"), (probabilities, "logarithm")])
def test_a_function_teaches_as_the_network_inside_it(teacher: Any, what: str) -> None:
    found = distilled(teacher)
    same(found, distilled(TRUTH))
    assert found.comparison.entries[0].model == teacher.__name__
    assert any(what in n and teacher.__name__ in n for n in found.notes)
    assert found.comparison.entries[0].accuracy.value == 1.0
    assert found.certificate.n == 60


def test_scores_beside_the_rows() -> None:
    x, y = rows(120, 0)
    found = distilled(probabilities(x), data=(x, y), test=None)
    same(found, distilled(TRUTH, data=(x, y), test=None))
    same(distilled((x, probabilities(x)), test=None), found)
    with pytest.raises(LimbeckError, match=r"not stored|new rows"):
        distilled(probabilities(x), data=(x, y))


def test_estimators_and_the_order_of_their_classes() -> None:
    x, y = rows(200, 0)
    names = np.array(["c", "a", "b"])
    forest = RandomForestClassifier(10, random_state=0).fit(x, y)
    named = RandomForestClassifier(10, random_state=0).fit(x, names[y])
    found = distilled(forest)
    other = distilled(named, classes=list(names))
    agreement = [e.agreement.value for e in (found.comparison.entries[1],
                                             other.comparison.entries[1])]  # fmt: skip
    assert min(agreement) > 0.7
    assert other.comparison.entries[0].accuracy.value == pytest.approx(
        found.comparison.entries[0].accuracy.value, abs=0.1
    )
    with pytest.raises(InvalidInput, match="Name the classes"):
        distilled(named)
    ridge = RidgeClassifier().fit(x, y)
    assert any("logits" in n for n in distilled(ridge).notes)


def test_a_teacher_that_lacks_a_class_and_one_output_for_two() -> None:
    x, y = rows(200, 0)
    some = LogisticRegression().fit(x[y != 1], y[y != 1])
    found = distilled(some)
    assert {*found.student(x).argmax(1).tolist()} <= {0, 1, 2}
    two = LogisticRegression().fit(x, y == 0)
    data, test = (x, (y == 0).long()), (rows(60, 1)[0], (rows(60, 1)[1] == 0).long())
    two = LogisticRegression().fit(x, (y == 0).long())
    one = distilled(two, Logits(), data=data, test=test, into=fixed(1), epochs=12,
                    lr=0.2, control=False)  # fmt: skip
    want = torch.from_numpy(two.decision_function(x)).float()
    assert torch.corrcoef(torch.stack([one.student(x)[:, 0], want]))[0, 1] > 0.99
    numbers = RandomForestRegressor(10, random_state=0).fit(x, x[:, 0])
    value = distilled(numbers, None, data=(x, x[:, 0]), test=(rows(60, 1)[0], rows(60, 1)[0][:, 0]),
                      into=fixed(1), epochs=1)  # fmt: skip
    assert value.settings["task"] == "regression"
    assert value.comparison.entries[0].accuracy.value > 0.8


def test_labels_are_hard_targets_and_no_more() -> None:
    def answers(x: Tensor) -> Tensor:
        return logits(x).argmax(1)

    found = distilled(answers, None)
    assert any("hard targets" in n for n in found.notes)
    assert [t[0] for t in found.settings["objective"]] == ["TeacherLabels", "GoldLabels"]
    same(distilled(answers, TeacherLabels()), distilled(TRUTH, TeacherLabels()))
    with pytest.raises(InvalidInput, match=r"SoftTargets reads scores.*labels only"):
        distilled(answers)


def test_layers_and_starts_are_refused_with_a_sentence() -> None:
    with pytest.raises(InvalidInput, match="is no network: it gives outputs only"):
        distilled(probabilities, SOFT + HiddenStates({"body": "0"}))
    with pytest.raises(InvalidInput, match=r"start was given without a teacher|no network"):
        distilled(probabilities, start="first and last")
    with pytest.raises(InvalidInput, match="raised ValueError on some rows"):
        distilled(lambda x: (_ for _ in ()).throw(ValueError("no")))
    with pytest.raises(InvalidInput, match="Give"):
        distilled(RandomForestClassifier)


def test_an_onnx_file_teaches(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    first = distilled(TRUTH)
    first.save(tmp_path / "one")
    path = tmp_path / "one" / "student.onnx"
    found, known = distilled(path), distilled(first.student)
    same(found, known)
    same(distilled(str(path)), known)


def test_a_cache_and_a_resumed_run(tmp_path: Path) -> None:
    one = distilled(probabilities, cache=tmp_path / "cache", out=tmp_path / "run")
    same(one, distilled(probabilities))
    again = distilled(probabilities, cache=tmp_path / "cache", out=tmp_path / "run")
    assert torch.equal(weights(one.student), weights(again.student))
    with pytest.raises(LimbeckError):
        distilled(lambda x: probabilities(x)[:, ::-1].copy(), cache=tmp_path / "cache")


def test_probabilities_of_labels_that_may_hold_together() -> None:
    x, _ = rows(300, 0)
    many = (x[:, :3] > 0).float()

    def each(x: Tensor) -> Tensor:
        return torch.sigmoid(8 * x[:, :3])

    found = distilled(
        each, None, data=(x, many), test=(rows(60, 1)[0], (rows(60, 1)[0][:, :3] > 0).float()),
        epochs=20,
    )  # fmt: skip
    assert found.settings["task"] == "multilabel"
    assert any("multi-label targets" in n for n in found.notes)
    assert found.comparison.entries[0].accuracy.value == 1.0
    assert found.comparison.entries[1].agreement.value > 0.85
