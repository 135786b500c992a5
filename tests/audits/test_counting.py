from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import limbeck
from limbeck.audits.independent import independent_rows
from limbeck.audits.table import read_table
from limbeck.core.errors import InvalidInput


def frame(n: int = 600, seed: int = 0) -> pd.DataFrame:
    """An innocent score: it knows a and b, and noise."""
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    z = df["a"] + 0.5 * df["b"]
    df["score"] = z + rng.normal(0, 0.7, n)
    df["outcome"] = (rng.random(n) < expit(z)).astype(int)
    return df


def read(df: pd.DataFrame, **given: Any) -> Any:
    return read_table(df, **{"score": "score", "outcome": "outcome", **given})


def test_copies_are_named_and_left_out() -> None:
    df = frame()
    table = read(pd.concat([df, df, df], ignore_index=True))
    assert len(table) == 600
    assert (table.score == df["score"]).all()
    (caveat,) = (c for c in table.caveats if c.subject == "copies")
    assert "1,200 of 1,800 rows are copies of another, 3 of each" in caveat.problem
    assert "cases=" in caveat.remedy
    ten = read(pd.concat([df] * 10, ignore_index=True))
    assert len(ten) == 600
    assert ten.features.names == table.features.names == ("a", "b")
    numbered = pd.concat([df] * 3, ignore_index=True).assign(number=range(1800))
    assert len(read(numbered)) == 600  # a new number does not make a new row


def test_the_audit_of_copies_is_the_audit() -> None:
    """Three copies of everybody change no p-value and no band."""
    df = frame(450)
    given: dict[str, Any] = {"score": "score", "outcome": "outcome", "bags": 9, "delta": 0.1}
    one = limbeck.audit(df, **given, progress=False)
    three = limbeck.audit(pd.concat([df] * 3, ignore_index=True), **given, progress=False)
    assert three.missing_features() == one.missing_features()
    for a, b in zip(one.differences.shapes, three.differences.shapes, strict=True):
        assert (a.simultaneous == b.simultaneous).all()


@pytest.mark.parametrize("role", ["frequency_weight", "sampling_weight"])
def test_weight_3_for_everybody_adds_no_evidence(role: str) -> None:
    df = frame().assign(w=3)
    plain = read(df.drop(columns="w"))
    found = read(df, **{role: "w"})
    assert found.evidence.sum() == pytest.approx(600)
    assert (independent_rows(found, 0)[0] == independent_rows(plain, 0)[0]).all()
    said = [c for c in found.caveats if c.subject == "w"]
    assert len(said) == (role == "frequency_weight")
    if said:
        assert "multiples of 3" in said[0].problem


def test_frequencies_that_no_people_explain_count_in_averages_only() -> None:
    df = frame().assign(w=np.random.default_rng(1).integers(1, 6, 600))
    found = read(df, frequency_weight="w")
    assert found.frequency is None
    assert found.sampling.tolist() == df["w"].tolist()
    assert found.evidence.sum() < 600
    assert "cannot stand for as many different people" in found.caveats[-1].problem
    assert len(independent_rows(found, 0)[0]) == 600


def test_frequencies_of_people_equal_the_rows_written_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    df = pd.DataFrame({"a": rng.integers(0, 5, 900), "b": rng.choice(["x", "y"], 900)})
    df["score"] = df["a"] + rng.integers(0, 3, 900)
    df["outcome"] = (rng.random(900) < expit(df["a"] - 2.0)).astype(int)
    short = df.value_counts().reset_index(name="n")
    counted, written = read(short, frequency_weight="n"), read(df)
    assert counted.evidence.sum() == written.evidence.sum() == 900
    assert "agree with another in all columns" in counted.counting
    assert "900 people" in counted.counting
    rows = independent_rows(counted, 0)[0]
    assert sorted(counted.score[rows]) == sorted(written.score)
    assert sorted(counted.score) == sorted(written.score)
    monkeypatch.setattr("limbeck.audits.counting._MOST_WRITTEN", 0)
    counted = read(short, frequency_weight="n")
    assert len(counted) == len(short)
    assert counted.evidence.sum() == 900
    draws = np.array([counted.redraw(rng).sum() for _ in range(200)])
    assert draws.mean() == pytest.approx(900, abs=10)


def test_cases_stay_together() -> None:
    df = frame(300)
    panel = pd.concat([df, df.assign(a=df["a"] + 0.1), df[:50]], ignore_index=True)
    panel["who"] = [*range(300), *range(300), *range(50)]
    table = read(panel, cases="who")
    assert len(table) == 650
    assert table.evidence.sum() == pytest.approx(650**2 / (250 * 4 + 50 * 9))
    rows, note = independent_rows(table, 0)
    assert len(rows) == 300
    assert len(set(table.cases[rows])) == 300
    assert "one row of each case" in note
    drawn = table.redraw(np.random.default_rng(0))
    assert (drawn[:300] == drawn[300:600]).all()
    found = limbeck.audit(
        panel, score="score", outcome="outcome", cases="who", bags=9, delta=0.1, progress=False
    )
    fold = found.work.models.folds.of
    assert (fold[:300] == fold[300:600]).all()
    assert "who" not in found.features
    assert found.certificate is None
    with pytest.raises(InvalidInput, match="100 different cases"):
        read(panel.assign(who=np.arange(650) % 100), cases="who")


@pytest.mark.parametrize("known", [0, 1])
def test_an_empty_column_does_not_stop_the_count_of_people_who_agree(known: int) -> None:
    rng = np.random.default_rng(3)
    df = pd.DataFrame({"x": rng.integers(0, 6, 600), "empty": np.nan})
    df.loc[: known - 1, "empty"] = 1.0
    df["score"] = df["x"] + rng.integers(0, 3, 600)
    df["outcome"] = (rng.random(600) < expit(0.5 * df["x"] - 1.5)).astype(int)
    assert len(read(df)) == len(read(df.drop(columns="empty"))) == 600
