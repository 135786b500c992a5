from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from limbeck.audits.independent import independent_rows
from limbeck.audits.table import read_table


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


def test_rows_drawn_by_score_and_outcome_together_are_thinned() -> None:
    df = frame(n=3000)
    table = read(df.assign(w=np.exp(df["a"])), sampling_weight="w")
    assert independent_rows(table, 0) == (pytest.approx(np.arange(3000)), "")
    risky = df["score"].rank(pct=True) * df["outcome"]
    table = read(df.assign(w=1 + 4 * risky), sampling_weight="w")
    rows, note = independent_rows(table, 0)
    w = 1 + 4 * risky.to_numpy()
    assert len(rows) == pytest.approx((w / w.max()).sum(), abs=100)
    assert "depend on score and outcome together" in note
