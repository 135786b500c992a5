from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from limbeck import as_teacher
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.teachers.boosters.xgboost import XGBoostTeacher, _version
from tests.teachers.boosters.conftest import TWO, X

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own


def test_rounds_can_be_chosen_and_the_best_are_taken(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    train = xgboost.DMatrix(X[["a", "b"]][:200], TWO[:200])
    held = xgboost.DMatrix(X[["b", "a"]].rename(columns={"a": "b", "b": "a"})[["a", "b"]][200:],
                           TWO[200:])  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = xgboost.train({"objective": "binary:logistic"}, train, 30, evals=[(held, "held")],
                              early_stopping_rounds=5, verbose_eval=False)  # fmt: skip
    best, rows = model.best_iteration + 1, X[["a", "b"]]
    assert best < model.num_boosted_rounds()
    model.save_model(tmp_path / "m.json")
    teacher = as_teacher(tmp_path / "m.json", TWO, example=rows)
    expected = model.predict(xgboost.DMatrix(rows), iteration_range=(0, best), output_margin=True)
    np.testing.assert_allclose(teacher.scores(rows)[:, 1], expected, atol=1e-6)
    assert "the best of early stopping" in teacher.note
    few = as_teacher(tmp_path / "m.json", TWO, example=rows, iterations=2)
    expected = model.predict(xgboost.DMatrix(rows), iteration_range=(0, 2), output_margin=True)
    np.testing.assert_allclose(few.scores(rows)[:, 1], expected, atol=1e-6)
    with pytest.raises(InvalidInput, match="rounds, not 99"):
        as_teacher(tmp_path / "m.json", TWO, iterations=99)


def test_categories_that_a_booster_knows_by_number_are_refused_by_name(tmp_path):
    xgboost = pytest.importorskip("xgboost")
    coded = X.assign(c=X["c"].cat.codes.astype(float))
    data = xgboost.DMatrix(
        coded.to_numpy(), TWO, feature_names=list(X), enable_categorical=True,
        feature_types=["float", "c", "float", "float"],
    )  # fmt: skip
    booster = xgboost.train({"objective": "binary:logistic"}, data, 8)
    teacher = as_teacher(booster)
    with pytest.raises(InvalidInput, match="knows the categories of 'c' by number"):
        teacher.scores(X)
    own = X.assign(c=pd.Categorical(X["c"].cat.codes))
    assert np.array_equal(teacher.scores(coded), teacher.scores(own))


@pytest.mark.parametrize(
    ("end", "version"),
    [
        (b'}, "version": [3, 10, 2]}\n', "3.10"),
        (b"version[#L\0\0\0\0\0\0\0\x03i\x03i\x01i\x00}", "3.1"),
        (b"version[#L\0\0\0\0\0\0\0\x03U\x03U\x0aU\x00}", "3.10"),
    ],
)
def test_the_version_ends_a_file(tmp_path: Path, end: bytes, version: str) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(b'{"learner": {"version": [9, 9, 9]}, ' + b"x" * 500 + end)
    assert _version(path) == version
    assert XGBoostTeacher.accepts(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(FileRefused, match=r"'m.json' is cut off. Save the booster again"):
        _version(path)
    path.write_bytes(b'{"tree": 1}')
    assert not XGBoostTeacher.accepts(path)
