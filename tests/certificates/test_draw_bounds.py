from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.certificates.binomial import upper_bound
from limbeck.certificates.bounds import Betting, EmpiricalBernstein
from limbeck.certificates.draw_bounds import DrawBounds
from limbeck.certificates.losses import BoundedLoss

LOSSES = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
FIRST = np.array([0, 1, 1, 3, 0, 5])  # row 2 is a copy of 1, and 4 of 0


def bounds(cases: Any = None, bound: str = "betting", *, exact: bool = True,
           **loss: Any) -> DrawBounds:  # fmt: skip
    evidence: Any = SimpleNamespace(
        duplicates=SimpleNamespace(first=FIRST), has_cases=cases is not None,
        units=SimpleNamespace(of=FIRST if cases is None else np.array(cases)),
    )  # fmt: skip
    return DrawBounds(evidence, LOSSES, BoundedLoss("own", **loss), bound, exact)


def test_copies_are_one_draw_and_a_case_is_the_mean_of_its_rows() -> None:
    assert bounds().losses().tolist() == [0, 1, 0, 1]
    assert bounds().losses(np.array([2, 3, 5])).tolist() == [1, 0, 1]
    cases = bounds(cases=[0, 0, 0, 3, 0, 3])
    assert cases.losses().tolist() == [0.5, 0.5]  # of different rows 0 and 1, and of 3 and 5
    assert cases.losses(np.array([1, 2, 3])).tolist() == [1, 0]


def test_counts_are_bounded_exactly_and_means_as_asked() -> None:
    own = np.array([0.0] * 9 + [1.0])
    assert bounds().mean(own, 0.05) == upper_bound(1, 10, 0.05)
    some = bounds(bound="empirical-bernstein", exact=False, low=-1.0, high=2.0)
    assert some.mean(own, 0.05) == EmpiricalBernstein.upper(own, 0.05, -1.0, 2.0)
    assert some.mean(own[:1], 0.05) == Betting.upper(own[:1], 0.05, -1.0, 2.0)  # needs no variance


def test_groups_share_the_level() -> None:
    found = bounds().groups(np.array(list("aabbab")), 0.1)
    assert [(g.group, g.delta, g.n, g.mean_loss) for g in found] == [
        ("a", 0.05, 2, 0.5), ("b", 0.05, 3, pytest.approx(2 / 3)),
    ]  # fmt: skip
    assert [g.epsilon for g in found] == [upper_bound(1, 2, 0.05), upper_bound(2, 3, 0.05)]
