"""What was asked for of a distillation from a table, its rows, and their two sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.api.prepare.table import Request, read, split
from limbeck.core.errors import InvalidInput
from limbeck.methods.adaptive_wavelets import AdaptiveWavelets
from limbeck.methods.search_and_stitch.method import SearchAndStitch

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"age": RNG.normal(size=180), "weight": RNG.uniform(1, 2, 180), "patient": np.arange(180) // 3}
)
Y = np.arange(180) % 2


def request(**given: Any) -> Request:
    defaults: dict[str, Any] = {"method": SearchAndStitch(), "into": "tree", "seed": 0}
    return Request(None, FRAME, Y, epsilon=0.1, delta=0.1, **{**defaults, **given})


def test_columns_that_are_no_features_are_taken_out() -> None:
    data = read(request(sample_weight="weight", cases="patient"))
    assert data.features.names == ("age",)
    np.testing.assert_array_equal(data.weight, FRAME["weight"])
    assert set(data.weighing) == {"sample_weight"}
    plain = read(request())
    assert plain.features.names == ("age", "weight", "patient")
    assert (plain.weight, dict(plain.weighing)) == (None, {})


def test_a_method_that_counts_all_rows_alike_takes_no_weights() -> None:
    asked = request(method=AdaptiveWavelets(), sample_weight=np.ones(180))
    with pytest.raises(InvalidInput, match="sample_weight was given"):
        read(asked)


def test_a_column_and_the_classes_cannot_both_be_the_groups() -> None:
    frame = FRAME.assign(**{"class": "a"})
    asked = Request(None, frame, Y, SearchAndStitch(), "tree", 0.1, 0.1, 0, groups="class")
    assert asked.by_class
    with pytest.raises(InvalidInput, match="may be a column of X or the classes"):
        read(asked)


def test_rows_of_a_case_come_to_one_side_and_weights_with_them() -> None:
    asked = request(sample_weight="weight", cases="patient")
    data = read(asked)
    apart = split(asked, data)
    ages = [set(side.X["age"]) for side in (apart.fit, apart.test)]
    assert not ages[0] & ages[1]
    patients = FRAME["patient"].to_numpy()
    sides = [{patients[FRAME["age"] == a][0] for a in side} for side in ages]
    assert not sides[0] & sides[1]
    expected = FRAME.set_index("age").loc[apart.fit.X["age"], "weight"]
    np.testing.assert_array_equal(apart.fit.weight, expected)


def test_every_step_draws_from_a_stream_of_its_own() -> None:
    first, again = request().chance(0).random(3), request().chance(0).random(3)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, request().chance(1).random(3))
    assert not np.allclose(first, request(seed=1).chance(0).random(3))
