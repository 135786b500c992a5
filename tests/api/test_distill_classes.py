"""Rare classes: seen in every table, certified by class, and weighed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import limbeck
from limbeck.api.load import read_rows
from limbeck.certificates import verify
from limbeck.certificates.binomial import upper_bound
from limbeck.core.errors import InvalidInput

X = np.random.default_rng(0).normal(size=(6000, 4))
QUICK: dict[str, Any] = {"queries": 0, "max_leaves": 3}


def rare(X: Any) -> Any:
    """Fraud in one of some 200 rows, in a ball that a tree of few leaves cannot enclose."""
    X = np.asarray(X)
    return np.where((X[:, 0] - 1.6) ** 2 + (X[:, 1] - 1.6) ** 2 < 0.16, "fraud", "fine")


@pytest.fixture(scope="module")
def plain() -> Any:
    return limbeck.distill(rare, X, rare(X), leaves=1, **QUICK)


def test_a_class_that_the_student_never_predicts_is_named(plain: Any) -> None:
    k = int((plain.holdout.answers == "fraud").sum())
    assert 3 < k < 30
    assert plain.certificate.reached  # and yet it passes
    note = plain.notes[-1]
    assert f"The student never predicts 'fraud' ({k} of 1,800 rows)" in note
    assert "class_weight='balanced'" in note
    flat = " ".join(str(plain).split())
    assert "The student never predicts 'fraud'" in flat


def test_agreement_by_class_is_in_every_table(plain: Any, tmp_path: Any) -> None:
    fine, fraud = plain.comparison.classes
    assert (fine.label, fraud.label) == ("fine", "fraud")
    assert fine.rows + fraud.rows == 1800
    assert fine.models["student"].value == 1.0
    assert fraud.models["student"].value == 0.0
    assert set(fraud.models) >= {"student", "control", "linear model"}
    lines = [line for line in str(plain).splitlines() if line.strip().startswith("fraud")]
    assert len(lines) == 1
    assert "0.000 [0.000, " in lines[0]
    page = plain.report(tmp_path / "page.html").read_text()
    assert "By the class that the teacher predicts" in page
    stored = json.loads(json.dumps(plain.to_dict(), allow_nan=False))
    assert stored["comparison"]["classes"][1]["models"]["student"]["agreed"] == 0


def test_a_balanced_student_predicts_the_rare_class(plain: Any) -> None:
    result = limbeck.distill(rare, X, rare(X), class_weight="balanced", **QUICK)
    fraud = result.comparison.classes[1]
    assert fraud.models["student"].value > 0.5
    assert fraud.models["control"].value > 0.5
    assert fraud.models["linear model"].value > 0.8
    assert not any("never predicts" in n for n in result.notes)
    same = limbeck.distill(rare, X, rare(X), class_weight={"fraud": 1.0}, leaves=1, **QUICK)
    assert same.student.fingerprint() == plain.student.fingerprint()
    heavy = limbeck.distill(rare, X, class_weight={"fraud": 300.0}, queries=500, max_leaves=3)
    assert heavy.comparison.classes[1].models["student"].value > 0.5


def test_the_certificate_by_class(tmp_path: Any) -> None:
    result = limbeck.distill(rare, X, rare(X), groups="class", class_weight="balanced", **QUICK)
    bounds = {g.group: g for g in result.certificate.groups}
    assert set(bounds) == {"fine", "fraud"}
    for line in result.comparison.classes:
        g, wrong = bounds[line.label], line.rows - line.models["student"].agreed
        assert g.n == line.rows
        assert g.mean_loss == pytest.approx(wrong / line.rows)
        assert g.epsilon == pytest.approx(upper_bound(wrong, line.rows, g.delta))
    assert sum(g.delta for g in bounds.values()) <= 0.05 + 1e-12
    folder = result.save(tmp_path / "run")
    rows = read_rows(next(folder.glob("holdout.*")))
    student = limbeck.load(folder / "student.json")
    found = verify(
        folder / "certificate.json", student, rows, rows["teacher_label"], groups=rows["group"]
    )
    assert found.ok


def test_sample_weights_reach_student_control_and_baselines() -> None:
    rng = np.random.default_rng(1)
    A = rng.normal(size=(1000, 2))
    where = A[:, 1] > 0
    answer = np.where(where, A[:, 0] > 0.5, A[:, 0] > -0.5).astype(int)

    def teacher(A: Any) -> Any:
        A = np.asarray(A)
        return np.where(A[:, 1] > 0, A[:, 0] > 0.5, A[:, 0] > -0.5).astype(int)

    weight = np.where(where, 1.0, 1e-3)
    result = limbeck.distill(
        teacher, A, answer, sample_weight=weight, leaves=2, queries=0, max_leaves=2
    )
    ours = result.student.nodes_
    assert ours.threshold[0] == pytest.approx(0.5, abs=0.05)
    upper = result.holdout.rows.values[:, 1] > 0
    native = result.holdout.rows.native()
    agreed = result.student.predict(native) == result.holdout.answers
    assert agreed[upper].mean() > 0.97
    assert agreed[~upper].mean() < 0.8
    frame = pd.DataFrame(A, columns=["a", "b"]).assign(w=weight)
    named = limbeck.distill(
        lambda F: teacher(F[["a", "b"]].to_numpy()), frame, answer, sample_weight="w", leaves=2,
        queries=0, max_leaves=2,
    )  # fmt: skip
    assert named.student.features_.names == ("a", "b")
    assert named.student.nodes_.threshold[0] == ours.threshold[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_weight": [1.0]}, "sample_weight has shape"),
        ({"sample_weight": -np.ones(200)}, "negative"),
        ({"sample_weight": "w"}, "no column 'w'|There is no column"),
        ({"class_weight": {"frod": 2}}, "Did you mean 'fraud'"),
        ({"class_weight": "balanced", "into": "wavelet"}, "counts all rows alike"),
        ({"sample_weight": np.ones(200), "into": "wavelet"}, "counts all rows alike"),
    ],
)
def test_weights_that_cannot_be_used(settings: Any, message: str) -> None:
    A = X[np.argsort(-X[:, 0] - X[:, 1])[:200]]
    with pytest.raises(InvalidInput, match=message):
        limbeck.distill(rare, A, **settings)


def test_classes_as_groups_that_cannot_be() -> None:
    frame = pd.DataFrame(X[:200], columns=["a", "b", "c", "class"])
    with pytest.raises(InvalidInput, match=r"may be a column of X or the classes of the teacher"):
        limbeck.distill(lambda F: rare(F.to_numpy()), frame, groups="class", **QUICK)
    with pytest.raises(InvalidInput, match="predicts a number"):
        limbeck.distill(lambda A: 3 * A[:, 0], X[:200], groups="class", **QUICK)
