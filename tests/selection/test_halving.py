"""Successive halving: how many go on, for how long, and who."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limbeck.selection.halving import rungs, survivors


@given(st.integers(1, 200), st.integers(1, 5000), st.integers(2, 5))
def test_rounds_get_shorter_in_trials_and_longer_in_updates(
    trials: int, updates: int, eta: int
) -> None:
    found = rungs(trials, updates, eta)
    assert found[0].trials == trials
    assert found[-1].updates == updates
    assert found[-1].trials >= min(trials, 2)
    for one, two in pairwise(found):
        assert two.trials == one.trials // eta
        assert one.updates < two.updates <= eta * one.updates
    work = [r.trials * r.updates for r in found]
    assert max(work) <= trials * updates


@pytest.mark.parametrize(
    ("scores", "kept", "expected"),
    [
        ([(0.5, -1.0), (0.9, -2.0), None, (0.9, -1.0)], 2, [3, 1]),
        ([None, None], 1, []),
        ([(1.0, 0.0), (1.0, 0.0)], 1, [0]),
    ],
)
def test_the_best_go_on(scores: list[Any], kept: int, expected: list[int]) -> None:
    assert survivors(scores, kept) == expected
