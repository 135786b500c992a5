from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limbeck.core.status import StatusCode
from limbeck.methods.search_and_stitch.status import Outcome, status_of

FLAT = np.tile(np.repeat([1.0, 0.0], [20, 80]), (8, 1))  # 20% wrong at every size
FALLING = np.stack([np.arange(100) < 60 - 7 * size for size in range(8)]).astype(float)
BASE = Outcome(
    chosen=4, most=8, classifies=True, seen=0.05, queries=0.3, left_out=FLAT, exact=False
)


def told(outcome, done=StatusCode.COMPLETE, epsilon=0.05):
    return status_of(outcome, done, None, epsilon)


def test_rows_queries_and_rows_left_out_are_told_apart():
    status = told(BASE)
    assert status.message == (
        "The search ran to its end: the tree of 4 leaves differs from the teacher on 5.0% of the"
        " rows, 30.0% of the queries and 20.0% of rows left out (5-fold)."
    )
    alone = told(replace(BASE, queries=None, left_out=None, chosen=1))
    assert "tree of 1 leaf differs from the teacher on 5.0% of the rows." in alone.message
    values = told(replace(BASE, classifies=False))
    assert "does not explain 5.0% of the teacher's variance on the rows" in values.message


def test_more_leaves_are_advised_only_where_they_help_on_rows_left_out():
    assert told(replace(BASE, left_out=FALLING)).remedy == "Raise max_leaves for a closer one."
    assert "max_clauses" in told(replace(BASE, left_out=FALLING), StatusCode.LIMIT).remedy
    assert (
        told(BASE).remedy == "More leaves agree no better on rows left out; more rows would help."
    )
    poor = told(replace(BASE, seen=0.19)).remedy
    assert "More leaves agree no better" in poor
    assert "another kind" in poor
    assert "Raise" not in poor


def test_queries_far_from_the_data_are_no_reason_for_advice():
    good = replace(BASE, queries=0.9, left_out=FLAT * 0.1)
    assert told(good).remedy == ""


def test_exact_and_interrupted():
    assert told(replace(BASE, exact=True)).message == (
        "The tree of 4 leaves agrees with the teacher on all rows and queries."
    )
    status = told(BASE, StatusCode.INTERRUPTED)
    assert status.code is StatusCode.INTERRUPTED
    assert "interrupted" in status.message


def test_without_rows_left_out_more_leaves_may_help():
    outcome = replace(BASE, left_out=None, seen=0.2)
    assert outcome.expected == pytest.approx(0.2)
    assert told(outcome).remedy == "Raise max_leaves for a closer one."
