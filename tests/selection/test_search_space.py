"""What a search draws: choices, distributions, and what optuna proposes."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats

from limbeck.core.errors import InvalidInput
from limbeck.selection.search_space import SearchSpace


def test_few_combinations_are_each_drawn_once() -> None:
    space = SearchSpace({"a": [1, 2, 3], "b": ["x", "y"]})
    found = space.drawn(10, seed=0)
    assert len(found) == 6 == space.size
    assert len({(t["a"], t["b"]) for t in found}) == 6
    assert space.drawn(4, seed=1) == space.drawn(4, seed=1) != space.drawn(4, seed=2)


def test_distributions_are_drawn_from_within_their_ends() -> None:
    space = SearchSpace({"lr": stats.loguniform(1e-4, 1e-1), "k": stats.randint(3, 6)})
    found = space.drawn(200, seed=0)
    assert all(1e-4 <= t["lr"] <= 1e-1 for t in found)
    assert {t["k"] for t in found} == {3, 4, 5}
    assert type(found[0]["lr"]) is float
    assert type(found[0]["k"]) is int
    below = sum(t["lr"] < 10**-2.5 for t in found)
    assert 70 < below < 130  # half, on the logarithmic scale


@pytest.mark.parametrize("over", [{}, None, {"lr": []}, {"lr": 0.1}, {"lr": "0.1"}])
def test_nothing_to_choose_from_is_refused(over: Any) -> None:
    with pytest.raises(InvalidInput, match="over"):
        SearchSpace(over)


def test_optuna_learns_from_the_scores_and_stays_within_the_ends() -> None:
    pytest.importorskip("optuna")
    space = SearchSpace({"x": stats.uniform(-1, 2), "c": ["bad", ("good", 1)]})
    asked = space.proposals(40, seed=0)
    values, seen = next(asked), []
    for i in range(40):
        seen.append(values)
        score = None if i == 3 else -((values["x"] - 0.5) ** 2) - (values["c"] == "bad")
        try:
            values = asked.send(score)
        except StopIteration:
            break
    assert len(seen) == 40
    assert all(-1 <= v["x"] <= 1 for v in seen)
    late = seen[20:]
    assert sum(v["c"] == ("good", 1) for v in late) >= 15
    assert sum(abs(v["x"] - 0.5) < 0.3 for v in late) >= 12


def test_a_distribution_that_optuna_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="norm"):
        SearchSpace({"x": stats.norm(0, 1)}).check_bayesian()
