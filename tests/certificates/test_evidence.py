from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.certificates import row_hashes
from limbeck.certificates.evidence import Evidence, count, first
from limbeck.certificates.losses import BoundedLoss
from limbeck.core.errors import InvalidInput


def test_rows_recorded_in_parts_have_one_fingerprint(threshold: Any) -> None:
    student = threshold(columns=1)
    rows = np.random.default_rng(0).normal(size=(70_000, 1))
    answers = student.predict(rows)
    whole, parts = (Evidence(student, BoundedLoss("disagreement")) for _ in range(2))
    whole.record(rows, answers, 70_000)
    parts.record(rows[:66_000], answers[:66_000], 66_000)
    parts.record(rows[66_000:], answers[66_000:], 4_000)
    assert whole.rows == parts.rows
    short = Evidence(student, BoundedLoss("disagreement"))
    short.record(rows, answers, 69_999)
    assert short.rows != whole.rows


def test_losses_of_each_block(threshold: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(66_000, 3))
    answers = threshold(0.5).predict(rows)
    losses = Evidence(threshold(), BoundedLoss("disagreement")).measure(rows, answers)
    assert losses.tolist() == ((rows[:, 0] > 0) != (rows[:, 0] > 0.5)).tolist()


def test_freshness_counts_over_all_parts(threshold: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3))
    answers = threshold().predict(rows)
    leaked = Evidence(threshold(), BoundedLoss("disagreement"), row_hashes(rows[30:]))
    leaked.record(rows[:20], answers[:20], 20)
    assert "0 of 20 coincide" in leaked.freshness()
    leaked.record(rows[20:], answers[20:], 20)
    with pytest.raises(InvalidInput, match="Training saw 10 of these 40"):
        leaked.freshness()


def test_count_and_first(threshold: Any) -> None:
    rows = np.arange(12.0).reshape(4, 3)
    forms = [rows, pd.DataFrame(rows, index=[7, 8, 9, 7]), threshold().features_.rows(rows)]
    for form in [*forms, rows.tolist()]:
        assert count(form) == 4
        assert count(first(form, 2)) == 2


def test_rows_and_cases_of_the_training_are_told_apart(threshold: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3))
    answers = threshold().predict(rows)
    others = np.arange(40, dtype=np.uint64)
    for seen, hits in ((row_hashes(rows), 40), (row_hashes(rows + 1), 0)):
        both = np.stack([seen, others], axis=1)
        evidence = Evidence(threshold(), BoundedLoss("disagreement"), both)
        evidence.record(rows, answers, 40)
        if hits:
            with pytest.raises(InvalidInput, match="Training saw 40 of these 40"):
                evidence.freshness()
        else:
            assert "0 of 40 coincide" in evidence.freshness()
