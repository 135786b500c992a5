from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from limbeck.audits.leaks import copied_columns, out_of_fold_auc, out_of_fold_r2
from limbeck.audits.table import read_table


def frame(n: int = 1000, seed: int = 0, rate: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < rate).astype(int)
    return pd.DataFrame({"z": rng.normal(size=n), "score": rng.normal(size=n), "outcome": y})


def said(df: pd.DataFrame, name: str) -> str:
    caveats = read_table(df, score="score", outcome="outcome").caveats
    return " ".join(f"{c.problem} {c.remedy}" for c in caveats if c.subject == name)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_noise_is_no_leak(seed: int, rate: float) -> None:
    df, rng = frame(seed=seed, rate=rate), np.random.default_rng([seed, 1])
    n = len(df)
    df["rare"] = np.where(rng.random(n) < 0.97, "a", "b")
    df["many"] = rng.integers(0, 300, n).astype(str)
    df["heavy"] = rng.standard_cauchy(n)
    df["gaps"] = np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n))
    found = read_table(df, score="score", outcome="outcome").caveats
    assert not [c for c in found if "outcome" in c.problem or "score" in c.problem]


def test_the_raw_file_of_a_score_on_reoffending() -> None:
    """Columns as in ProPublica's file: what is missing tells, a second score, an exact copy."""
    rng = np.random.default_rng(0)
    df = frame(2000)
    y = df["outcome"].to_numpy()
    again = y * (rng.random(2000) < 0.9)
    df["r_days_from_arrest"] = np.where(again == 1, rng.integers(0, 30, 2000), np.nan)
    df["event"] = np.where(rng.random(2000) < 0.95, y, 1 - y)
    df["end"] = np.where(y == 1, rng.integers(1, 730, 2000), rng.integers(600, 1200, 2000))
    df["priors"] = rng.poisson(2, 2000)
    df["priors.1"] = df["priors"]
    df["v_score"] = df["score"] + rng.normal(0, 0.6, 2000)
    table = read_table(df, score="score", outcome="outcome")
    assert "Whether r_days_from_arrest is missing alone tells" in said(df, "r_days_from_arrest")
    assert "Leak? event alone tells" in said(df, "event")
    assert "end alone tells" in said(df, "end")
    assert "alone explains" in said(df, "v_score")
    assert "another output of the same system" in said(df, "v_score")
    assert dict(table.dropped)["priors.1"] == "it says the same as priors, row by row"
    assert not said(df, "priors")


def test_words_grow_with_the_strength() -> None:
    df, rng = frame(4000), np.random.default_rng(1)
    y = df["outcome"].to_numpy()
    words = {}
    for name, gap in (("none", 0.8), ("soft", 1.4), ("strong", 2.2), ("certain", 4.0)):
        words[name] = said(df.assign(x=rng.normal(size=4000) + gap * y), "x")
    assert words["none"] == ""
    assert words["soft"].startswith("x alone tells a good part")
    assert words["strong"].startswith("Leak? x alone tells much")
    assert words["certain"].startswith("Leak? x alone tells the outcome nearly without error")


def test_the_main_input_of_a_score_is_not_called_made_from_it() -> None:
    """3 a + b with a in {0, 1}: the score decides a, since a is its main input."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, 1000), rng.integers(0, 3, 1000)
    df = pd.DataFrame({"a": a, "b": b, "score": 3 * a + b, "outcome": rng.integers(0, 2, 1000)})
    words = said(df, "a")
    assert "Either it was made from the score" in words
    assert "or it is a main input of the score" in words
    assert "cannot tell which" in words
    assert "probably" not in words


def test_out_of_fold_auc_is_that_of_a_good_predictor() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 20_000)
    y = (rng.random(20_000) < codes / 5).astype(float)
    fold = rng.integers(0, 5, 20_000)
    assert out_of_fold_auc(codes, y, fold) == pytest.approx(roc_auc_score(y, codes), abs=0.01)
    assert out_of_fold_auc(rng.integers(0, 900, 20_000), y, fold) == pytest.approx(0.5, abs=0.02)
    s = codes + rng.normal(0, 1, 20_000)
    assert out_of_fold_r2(codes, s, fold) == pytest.approx(1 - 1 / s.var(), abs=0.01)


def test_copies_of_columns() -> None:
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=500), rng.integers(0, 4, 500) * 1.0
    values = np.column_stack([x, rng.normal(size=500), -2 * x, k, (7 * k) % 5, k % 2, k])
    names = ["x", "other", "minus", "k", "recoded", "half", "k2"]
    wanted = {"minus": "x", "recoded": "k", "k2": "k"}
    assert copied_columns(names, values) == wanted
    for times in (3, 10):  # also where every row, or person, is there several times
        assert copied_columns(names, np.repeat(values, times, axis=0)) == wanted


def test_rows_drawn_by_score_and_outcome_make_no_feature_a_leak() -> None:
    """AUC 0.76 in the population, 0.83 in rows drawn the more, the higher score and outcome."""
    rng = np.random.default_rng(0)
    n = 20_000
    df = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    df["outcome"] = (rng.random(n) < 1 / (1 + np.exp(-1.3 * df["x"]))).astype(int)
    df["score"] = df["x"] + 0.6 * rng.normal(size=n)
    chance = 0.1 + 0.8 * df["score"].rank(pct=True) ** 2 * df["outcome"]
    drawn = df.assign(w=1 / chance)[rng.random(n) < chance].reset_index(drop=True)
    assert roc_auc_score(drawn["outcome"], drawn["x"]) > 0.82
    given = {"score": "score", "outcome": "outcome"}
    blind = read_table(drawn.drop(columns="w"), **given).caveats
    assert [c.kind for c in blind if c.subject == "x" and "outcome" in c.problem] == ["outcome"]
    weighted = read_table(drawn, sampling_weight="w", **given).caveats
    assert not [c for c in weighted if c.subject == "x" and "the outcome" in c.problem]
