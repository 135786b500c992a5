from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, row_hashes
from limbeck.certificates.issue import in_words
from limbeck.certificates.sentences import assumptions_of, plan_of, statement_of


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 3))


def test_sentences_follow_from_the_numbers(threshold: Any, rows: np.ndarray) -> None:
    y = threshold(0.2).predict(rows)
    c = certify(threshold(), rows, y, epsilon=0.05, seen=row_hashes(rows + 1))
    bare = replace(c, statement="Perfect.", assumptions=("None.",))
    assert in_words(bare) == c
    assert statement_of(bare) == c.statement
    seen = {**c.settings["seen"], "rows": 5}
    altered = replace(c, settings={**c.settings, "seen": seen})
    assert "compared with the 5 rows" in assumptions_of(altered)[2]


def test_more_rows_are_ruled_out_only_where_that_is_certain(
    threshold: Any, rows: np.ndarray
) -> None:
    def said(wrong: int, asked: float) -> str:
        y = threshold().predict(rows)
        y[:wrong] = np.where(y[:wrong] == "yes", "no", "yes")
        return certify(threshold(), rows, y, epsilon=asked).statement

    assert "will not help" in said(40, 0.05)  # at least 15% with confidence 95%
    open_ = said(12, 0.05)  # 6% seen, and 3.5% may be
    assert "will not help" not in open_
    assert "whether it can be is open" in open_
    assert "at least 3.49%" in open_
    assert "rows would show that it cannot" in open_
    few = said(6, 0.05)
    assert "at this rate of errors that takes about" in few


def test_the_plan_is_made_anew_where_none_is_stored(threshold: Any, rows: np.ndarray) -> None:
    y = threshold().predict(rows)
    y[:12] = np.where(y[:12] == "yes", "no", "yes")
    c = certify(threshold(), rows, y, epsilon=0.05)
    assert plan_of(c) == plan_of(replace(c, settings={**c.settings, "plan": None}))
    assert plan_of(certify(threshold(), rows, y)) is None
