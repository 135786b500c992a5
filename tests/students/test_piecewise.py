from __future__ import annotations

from typing import Any, Self

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.students.piecewise import Piecewise


class Sign(Piecewise):
    """Two pieces: below zero, and not."""

    def __init__(self, task: Any = None) -> None:
        self.task = task

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        return self._hold(Features.of(X), self.task)

    def _pieces(self) -> Any:
        value = np.eye(2) if self.task_.classifies else np.array([[-1.0], [1.0]])
        return (lambda rows: (rows[:, 0] >= 0).astype(np.intp)), value

    @property
    def size(self) -> int:
        return 2

    def text(self) -> str:
        return "minus below 0, else plus"

    def to_dict(self) -> dict[str, Any]:
        return {"sign": True}


def test_classes() -> None:
    sign = Sign(Task(("minus", "plus"))).fit([[0.0]], None)
    assert is_classifier(sign)
    assert sign.predict([[-2.0], [3.0]]).tolist() == ["minus", "plus"]
    assert sign.predict_proba([[3.0]]).tolist() == [[0.0, 1.0]]
    assert sign.score([[-2.0], [3.0]], ["minus", "minus"]) == 0.5
    assert sign.classes_.tolist() == ["minus", "plus"]


def test_values() -> None:
    sign = Sign(Task(unit="m")).fit([[0.0]], None)
    assert is_regressor(sign)
    assert sign.predict(np.array([[-2.0]] * 40_000)).tolist() == [-1.0] * 40_000
    assert sign.score([[-2.0], [3.0]], [-1.0, 1.0]) == 1.0
    assert not hasattr(sign, "predict_proba")


def test_not_fitted() -> None:
    with pytest.raises(NotFittedError):
        Sign(Task(("a", "b"))).predict([[1.0]])


def test_save_and_fingerprint(tmp_path: Any) -> None:
    sign = Sign(Task()).fit([[0.0]], None)
    assert sign.save(tmp_path / "s.json").read_text() == '{"sign":true}\n'
    assert len(sign.fingerprint()) == 64
