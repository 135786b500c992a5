"""Every teacher goes through this one suite; a new teacher is one more entry in ``TEACHERS``."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from limbeck.core.answers import ScoreKind, answers, probabilities
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.task import Task
from limbeck.teachers import CallableTeacher, SklearnTeacher, StoredScores

rng = np.random.default_rng(0)
A = rng.normal(size=(60, 4))
FRAME = pd.DataFrame(A, columns=["a", "b", "c", "d"])
LABELS = np.where(A[:, 0] > 0, "yes", "no")


def modules():
    import torch
    from torch import nn

    torch.manual_seed(0)
    body = [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*body, nn.Linear(6, 3)), nn.Sequential(*body, nn.Linear(6, 1))


def torch_classes(X):
    from limbeck.teachers import TorchTeacher

    return TorchTeacher(modules()[0], classes=3, batch_size=7)


def torch_binary(X):
    from limbeck.teachers import TorchTeacher

    return TorchTeacher(modules()[1], classes=2, score_kind="logit")


def torch_values(X):
    from limbeck.teachers import TorchTeacher

    return TorchTeacher(modules()[1], unit="mm")


def black_box(X):
    first = lambda X: np.asarray(X)[:, 0]  # noqa: E731
    return CallableTeacher(lambda X: np.where(first(X) > 0, "yes", "no"), classes=["no", "yes"])


def onnx_file(X):
    import tempfile

    from skl2onnx import to_onnx

    from limbeck.teachers import as_teacher

    model = LogisticRegression().fit(A, LABELS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_onnx(model, A[:1].astype(np.float32)).SerializeToString())
        return as_teacher(path, example=X)


def booster(library):
    """A booster of the library, trained on the names of the classes or on their numbers."""
    import importlib

    made = {"lightgbm": "LGBMClassifier", "xgboost": "XGBClassifier",
            "catboost": "CatBoostClassifier"}  # fmt: skip
    settings = {
        "lightgbm": {"n_estimators": 5, "min_child_samples": 5, "verbose": -1},
        "xgboost": {"n_estimators": 5},
        "catboost": {"iterations": 5, "verbose": False, "allow_writing_files": False},
    }

    def make(X):
        from limbeck.teachers import as_teacher

        kind = getattr(importlib.import_module(library), made[library])
        y = (LABELS == "yes").astype(int)
        return as_teacher(kind(**settings[library]).fit(X, y), example=X)

    return make


def onnx_regressor(X):
    import tempfile

    from skl2onnx import to_onnx

    from limbeck.teachers import as_teacher

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model = LinearRegression().fit(A, A[:, 0])
        path.write_bytes(to_onnx(model, A[:1].astype(np.float32)).SerializeToString())
        return as_teacher(path, example=X)


TEACHERS = {
    "sklearn probabilities": lambda X: SklearnTeacher(LogisticRegression().fit(X, LABELS)),
    "sklearn logits": lambda X: SklearnTeacher(RidgeClassifier().fit(X, LABELS)),
    "sklearn values": lambda X: SklearnTeacher(LinearRegression().fit(X, A[:, 0])),
    "stored labels": lambda X: StoredScores(X, LABELS),
    "stored values": lambda X: StoredScores(X, A[:, 0]),
    "stored scores": lambda X: StoredScores(X, A),
    "callable labels": black_box,
    "callable values": lambda X: CallableTeacher(lambda X: np.asarray(X).sum(axis=1)),
}
if find_spec("onnxruntime") and find_spec("skl2onnx"):
    TEACHERS |= {"onnx": onnx_file, "onnx values": onnx_regressor}
TEACHERS |= {name: booster(name) for name in ("lightgbm", "xgboost", "catboost") if find_spec(name)}
if find_spec("torch"):
    TEACHERS |= {
        "torch classes": torch_classes,
        "torch binary": torch_binary,
        "torch values": torch_values,
    }


@cache
def made(name, form):
    return TEACHERS[name](A if form == "array" else FRAME)


@pytest.fixture(params=["array", "frame"])
def form(request):
    return request.param


@pytest.fixture
def X(form):
    return A if form == "array" else FRAME


@pytest.fixture(params=list(TEACHERS))
def teacher(request, form):
    return made(request.param, form)


def test_it_satisfies_the_protocol(teacher):
    assert isinstance(teacher, Teacher)
    assert teacher.name
    assert isinstance(teacher.name, str)
    assert isinstance(teacher.score_kind, ScoreKind)
    assert Access.SCORES in teacher.access


def test_scores_have_a_column_a_class(teacher, X):
    scores = teacher.scores(X)
    assert scores.dtype == np.float64
    assert scores.shape == (60, len(teacher.task.classes) or 1)
    assert np.isfinite(scores).all()


def test_the_kind_says_what_scores_are(teacher, X):
    scores = teacher.scores(X)
    kind = teacher.score_kind
    assert (kind is ScoreKind.VALUE) == (not teacher.task.classifies)
    if kind in (ScoreKind.PROBABILITY, ScoreKind.LABEL):
        np.testing.assert_allclose(scores.sum(axis=1), 1)
    if kind is not ScoreKind.VALUE:
        np.testing.assert_allclose(probabilities(scores, kind).sum(axis=1), 1)
    assert answers(scores, teacher.task).shape == (60,)


def test_answers_do_not_depend_on_time_order_or_company(teacher, X):
    scores = teacher.scores(X)
    np.testing.assert_array_equal(teacher.scores(X), scores)
    np.testing.assert_allclose(teacher.scores(X[::-1]), scores[::-1], atol=1e-6)
    np.testing.assert_allclose(teacher.scores(X[5:6]), scores[5:6], atol=1e-6)


def test_rows_are_not_changed(teacher, X):
    before = X.copy()
    teacher.scores(X)
    np.testing.assert_array_equal(np.asarray(X), np.asarray(before))


def test_new_rows_are_answered_where_queries_are_granted(teacher, X):
    if Access.QUERIES in teacher.access:
        assert len(teacher.scores(X + 0.5)) == 60
    else:
        with pytest.raises(AccessDenied):
            teacher.scores(X + 0.5)


def test_activations_are_given_where_granted(teacher, X):
    if Access.ACTIVATIONS not in teacher.access:
        assert teacher.layers() == ()
        with pytest.raises(AccessDenied):
            teacher.activations(X, ["any"])
        return
    teacher.scores(X)
    names = teacher.layers()
    assert names
    found = teacher.activations(X, names)
    assert list(found) == list(names)
    for a in found.values():
        assert a.dtype == np.float32
        assert a.ndim == 2
        assert len(a) == 60


def test_gradients_are_given_where_granted(teacher, X):
    if Access.GRADIENTS not in teacher.access:
        with pytest.raises(AccessDenied):
            teacher.gradient(X, 0)
        return
    for output in range(len(teacher.task.classes) or 1):
        slope = teacher.gradient(X, output)
        assert slope.shape == (60, 4)
        assert slope.dtype == np.float64
        assert np.isfinite(slope).all()


def test_modules_are_left_as_they_were(teacher, X):
    module = getattr(teacher, "module", None)
    if module is None:
        pytest.skip("no module")
    module.train()
    module[1].eval()
    modes = [m.training for m in module.modules()]
    teacher.scores(X)
    teacher.gradient(X, 0)
    teacher.activations(X, teacher.layers())
    assert [m.training for m in module.modules()] == modes
    assert not any(m._forward_hooks for m in module.modules())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


def test_a_temperature_softens_logits_and_probabilities_alike():
    z = rng.normal(size=(5, 3))
    p = probabilities(z, ScoreKind.LOGIT)
    np.testing.assert_allclose(p, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    soft = probabilities(z, ScoreKind.LOGIT, 4.0)
    np.testing.assert_allclose(soft, probabilities(z / 4, ScoreKind.LOGIT))
    np.testing.assert_allclose(probabilities(p, ScoreKind.PROBABILITY, 4.0), soft)
    certain = np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(probabilities(certain, ScoreKind.PROBABILITY, 2.0), certain)
    huge = probabilities(np.array([[0.0, 1e4]]), ScoreKind.LOGIT)
    np.testing.assert_array_equal(huge, certain)


@pytest.mark.parametrize(
    ("kind", "temperature"),
    [(ScoreKind.LABEL, 2.0), (ScoreKind.VALUE, 1.0), (ScoreKind.LOGIT, 0.0)],
)
def test_a_temperature_that_means_nothing_is_refused(kind, temperature):
    with pytest.raises(InvalidInput):
        probabilities(np.eye(2), kind, temperature)


def test_hard_answers_are_indices_or_values():
    found = answers(np.array([[1.0, 1.0], [0.0, 2.0]]), Task(("a", "b")))
    assert found.dtype == np.int64
    assert found.tolist() == [0, 1]
    assert answers(np.array([[1.5]]), Task(unit="mm")).tolist() == [1.5]
