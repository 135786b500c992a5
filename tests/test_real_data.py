"""The whole path on real tables: categories, missing values, and people's own column names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import limbeck
from limbeck.teachers import SklearnTeacher

pytestmark = pytest.mark.data


def boosted(kind: type) -> object:
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    text = make_column_selector(dtype_exclude="number")
    columns = make_column_transformer((codes, text), remainder="passthrough")
    return make_pipeline(columns, kind(max_iter=15, random_state=0))


def test_adult_with_categories_and_gaps(data_folder: Path, tmp_path: Path) -> None:
    frame = pd.read_parquet(data_folder / "tabular/adult.parquet").sample(4500, random_state=0)
    y = np.where(frame.pop("income_gt_50k") == 1, "> 50k", "<= 50k")
    X = frame.drop(columns=["split", "fnlwgt"]).reset_index(drop=True)
    teacher = boosted(HistGradientBoostingClassifier).fit(X[:3000], y[:3000])
    result = limbeck.distill(
        teacher, X[3000:], y[3000:], max_leaves=8, queries=1500, groups="sex", epsilon=0.2
    )
    student = result.comparison.entries[1]
    majority = max(np.unique(result.holdout.answers, return_counts=True)[1]) / result.certificate.n
    assert student.agreement.low > majority  # more than always saying the commoner class
    assert result.certificate.reached
    assert {g.group for g in result.certificate.groups} == {"Female", "Male"}
    for (size, greedy), ours in zip(
        result.trace["greedy"], [c for n, c in result.trace["frontier"] if n in (2, 4, 8)],
        strict=False,
    ):  # fmt: skip
        assert ours <= greedy + 1e-9, size
    folder = result.save(tmp_path / "run")
    again = limbeck.load(folder / "student.json")
    assert again.fingerprint() == result.certificate.student
    held = pd.read_parquet(folder / "holdout.parquet")
    checked = limbeck.verify(
        folder / "certificate.json", again, held, held["teacher_label"], groups=held["group"]
    )
    assert checked.ok, str(checked)


def test_bike_hires_as_a_number_with_a_unit(data_folder: Path) -> None:
    frame = pd.read_parquet(data_folder / "tabular/bike_sharing_hour.parquet")
    y = frame["cnt"].to_numpy(dtype=float)
    X = frame.drop(columns=["cnt", "casual", "registered", "instant", "dteday"])
    teacher = boosted(HistGradientBoostingRegressor).fit(X[:8000], y[:8000])
    result = limbeck.distill(
        SklearnTeacher(teacher, unit="hires"), X[8000:9400], y[8000:9400],
        max_leaves=10, queries=300, epsilon=0.1,
    )  # fmt: skip
    assert "hires" in result.certificate.statement
    assert result.comparison.entries[1].agreement.value > 0.7
    assert "hr <=" in result.student.text()  # the hour of the day decides about hires
