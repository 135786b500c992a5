from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.columns import unfit
from limbeck.audits.reading import read_column

N = 1200
RNG = np.random.default_rng(0)
SCORE, OUTCOME = RNG.normal(size=N).round(1), RNG.integers(0, 2, N).astype(float)
LEVELS = [f"level {i}" for i in range(600)]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.where(np.arange(N) < 50, 1.0, np.nan), "95.8% of its values are missing"),
        (np.full(N, 7.0), "the same value in every row"),
        ([f"name {i}" for i in range(N)], "it names the rows"),
        (LEVELS * 2, "it has 600 levels"),
        (np.arange(N) * 2.0, "it numbers the rows"),
        (-np.arange(N) * 1.0, "it numbers the rows"),
        (OUTCOME, "it is the outcome itself"),
        (1 - OUTCOME, "it is the outcome itself"),
        (SCORE, "it is the score itself"),
        (np.exp(SCORE), "each of its values goes with one value of the score"),
        (-SCORE, "each of its values goes with one value of the score"),
        (SCORE + OUTCOME, ""),
        (np.where(np.arange(N) < 80, 1.0, np.nan), ""),  # that it is known tells rows apart
        (LEVELS[:400] * 3, ""),
    ],
)
def test_why_a_column_is_not_audited(values: Any, why: str) -> None:
    read = read_column(pd.Series(values), "column")
    found, remedy = unfit(read, "column", SCORE, OUTCOME)
    assert why in found
    assert bool(found) == bool(why) == bool(remedy)


def test_without_an_outcome_a_column_of_0_and_1_may_be_any() -> None:
    read = read_column(pd.Series(OUTCOME), "column")
    assert unfit(read, "column", SCORE, None) == ("", "")
