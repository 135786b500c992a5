from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, row_hashes
from limbeck.certificates.issue import in_words
from limbeck.certificates.sentences import assumptions_of, statement_of


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
