from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from limbeck.audits.audited_rows import AuditTable
from limbeck.core.column import Feature
from limbeck.core.columns import Features

FRAME = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [0.0, 0, 1, 1], "c": [5.0, 6, 7, 8]})
TABLE = AuditTable(
    FRAME, Features(tuple(map(Feature, "abc")), True, ("float64", "int64", "float32")),
    FRAME.to_numpy(), np.arange(4.0), None, {"g": np.array(list("xyxy"))}, "score",
)  # fmt: skip


def test_evidence_is_worth_as_many_independent_cases_as_kish_says() -> None:
    assert TABLE.evidence.tolist() == [1, 1, 1, 1]
    weighted = replace(TABLE, sampling=np.array([1.0, 1, 1, 3]))
    assert weighted.evidence.sum() == pytest.approx(36 / 12)
    assert weighted.evidence[3] == 3 * weighted.evidence[0]
    cases = replace(TABLE, case=np.array([0, 0, 0, 1]))
    assert cases.evidence.sum() == pytest.approx(16 / 10)
    people = replace(TABLE, frequency=np.array([2.0, 1, 1, 5]))
    assert people.evidence.tolist() == [2, 1, 1, 5]


def test_rows_of_one_case_are_drawn_together() -> None:
    table = replace(TABLE, case=np.array([0, 1, 0, 1]), sampling=np.array([1.0, 2, 3, 4]))
    for seed in range(5):
        drawn = table.redraw(np.random.default_rng(seed)) / table.mass
        assert drawn[0] == drawn[2]
        assert drawn[1] == drawn[3]
        assert drawn[:2].sum() == 2


def test_rows_and_columns_are_taken_together() -> None:
    some = replace(TABLE, case=np.arange(4)).take(np.array([3, 0, 3]))
    assert some.frame["a"].tolist() == some.values[:, 0].tolist() == [4, 1, 4]
    assert some.frame.index.tolist() == [0, 1, 2]
    assert (some.case.tolist(), some.groups["g"].tolist()) == ([3, 0, 3], ["y", "x", "y"])
    assert (some.outcome, some.frequency) == (None, None)
    fewer = TABLE.without("b")
    assert fewer.features.names == ("a", "c")
    assert fewer.features.dtypes == ("float64", "float32")
    assert fewer.values.tolist() == FRAME[["a", "c"]].to_numpy().tolist()
