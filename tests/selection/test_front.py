from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from limbeck.selection.front import Entrant, entrants, pareto, recommended, steadiness, undominated
from limbeck.selection.race import Run
from limbeck.students.tree.tree import Tree


@dataclass(frozen=True)
class Sized:
    """As much of a student as the front looks at."""

    numbers: int
    name: str = ""

    def fingerprint(self) -> str:
        return f"{self.name}{self.numbers}"


def entrant(numbers: int, losses: Any, name: str = "") -> Entrant:
    return Entrant(None, Sized(numbers, name), np.asarray(losses, dtype=float))  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 20)), min_size=1, max_size=30))
def test_the_front_is_what_nothing_beats(pairs):
    found = [entrant(n, [loss / 20]) for n, loss in pairs]
    front = pareto(found)
    for e in front:
        assert not any(o.student.numbers <= e.student.numbers and o.loss < e.loss for o in found)
    sizes, losses = [e.student.numbers for e in front], [e.loss for e in front]
    assert sizes == sorted(set(sizes))
    assert losses == sorted(set(losses), reverse=True)
    for o in found:  # all others are beaten, or equalled by something as small
        assert any(e.student.numbers <= o.student.numbers and e.loss <= o.loss for e in front)


def test_the_smallest_within_one_standard_error_is_recommended():
    best = np.r_[np.zeros(95), np.ones(5)]
    near = np.roll(np.r_[np.zeros(94), np.ones(6)], 3)  # errs elsewhere, once more in all
    far = np.r_[np.zeros(80), np.ones(20)]
    front = [entrant(3, far), entrant(9, near), entrant(40, best)]
    assert recommended(front) is front[1]
    assert recommended(front, within=0.2) is front[0]
    assert recommended([front[0], front[2]]) is front[2]


def test_a_smaller_student_that_is_certified_for_less_is_taken():
    front = [entrant(n, [0.0]) for n in (4, 8, 8, 31)]
    assert undominated(front, [0.044, 0.076, 0.08, 0.02], 1) == 0
    assert undominated(front, [0.08, 0.076, 0.05, 0.02], 1) == 2  # as small, and better
    assert undominated(front, [0.08, 0.076, 0.076, 0.02], 1) == 1  # level: the chosen one stays
    assert undominated(front, [0.02, 0.02, 0.02, 0.02], 3) == 0  # of equal bounds the smallest
    assert undominated(front, [0.08, 0.076, 0.08, 0.02], 1) == 1  # a larger one is not looked at


def test_columns_are_counted_over_all_fits():
    X = np.random.default_rng(0).normal(size=(300, 3))
    first, second = Tree(2).fit(X, X[:, 0]), Tree(2).fit(X, X[:, 2])
    found = Entrant(None, first, np.zeros(3), (first, second, first))  # type: ignore[arg-type]
    assert steadiness(found, X) == {"x0": 3, "x2": 1}


def test_a_student_that_two_budgets_share_enters_once():
    small, large = Sized(3, "tree"), Sized(15, "tree")
    losses = {4: np.zeros(5), 8: np.ones(5), 16: np.zeros(5)}
    refits = {4: [], 8: [], 16: []}
    run = Run(None, {4: small, 8: small, 16: large}, losses, refits, 0, 1.0)  # type: ignore[arg-type]
    found = entrants([run])
    assert [(e.student.numbers, e.loss) for e in found] == [(3, 0.0), (15, 0.0)]
