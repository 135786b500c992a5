from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput, MissingExtra
from limbeck.core.task import Task
from limbeck.students.wavelet.wavelet import WaveletStudent

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("pywt")


def run(model: Any, values: np.ndarray) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return list(session.run(None, {"rows": values.reshape(len(values), -1)}))


def rows(n: int, shape: tuple[int, ...] = (40,), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, *shape)).cumsum(axis=-1)


@pytest.mark.parametrize("keep", ["place", "size", "value"])
@pytest.mark.parametrize("shape", [(40,), (2, 21), (1, 10, 8)])
def test_values(keep: Any, shape: tuple[int, ...]) -> None:
    X = rows(100, shape)
    student = WaveletStudent("db3", levels=2, keep=keep, boundary="symmetric")
    student.fit(X, np.abs(X).reshape(100, -1).max(axis=1))
    model = student.to_onnx()
    onnx.checker.check_model(model, full_check=True)
    fresh = rows(300, shape, seed=1)
    np.testing.assert_allclose(run(model, fresh)[0], student.predict(fresh), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("classes", [(False, True), ("a", "b", "c"), (1, 2, 7), ("one",)])
@pytest.mark.parametrize("keep", ["place", "size"])
def test_classes(classes: tuple[Any, ...], keep: Any) -> None:
    X = rows(80)
    at = np.digitize(X[:, 20], np.quantile(X[:, 20], np.arange(1, len(classes)) / len(classes)))
    labels = np.array(classes)[at]
    student = WaveletStudent("db2", keep=keep, task=Task(classes)).fit(X, labels)
    fresh = rows(300, seed=1)
    label, shares = run(student.to_onnx(), fresh)
    np.testing.assert_allclose(shares, student.predict_proba(fresh), atol=1e-9)
    assert (label == student.predict(fresh)).all()


@pytest.mark.parametrize("task", ["value", "classes"])
def test_additive(task: Any) -> None:
    pytest.importorskip("interpret")
    X = rows(150)
    y = np.abs(X[:, 10]) if task == "value" else X[:, 10] > 0
    student = WaveletStudent("haar", levels=2, model="additive", task=task).fit(X, y)
    fresh = rows(300, seed=1)
    found = run(student.to_onnx(), fresh)
    if task == "value":
        np.testing.assert_allclose(found[0], student.predict(fresh), rtol=1e-9, atol=1e-9)
    else:
        np.testing.assert_allclose(found[1], student.predict_proba(fresh), atol=1e-9)


def test_file_and_metadata(tmp_path: Any) -> None:
    X = rows(50)
    WaveletStudent("haar").fit(X, X[:, 0]).to_onnx(tmp_path / "student.onnx")
    told = {p.key: p.value for p in onnx.load(tmp_path / "student.onnx").metadata_props}
    assert len(json.loads(told["limbeck.features"])) == 40


def test_large_signals_are_refused() -> None:
    X = rows(12, (2, 2500))
    student = WaveletStudent("haar", keep="place", largest=1).fit(X, X[:, 0, 0])
    with pytest.raises(InvalidInput, match="5000 numbers"):
        student.to_onnx()


def test_without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    X = rows(50)
    student = WaveletStudent("haar").fit(X, X[:, 0])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"limbeck\[onnx\]"):
        student.to_onnx()
