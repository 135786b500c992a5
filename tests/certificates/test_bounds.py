"""Bounds for the mean of losses, by the names that `certify` knows them by."""

from __future__ import annotations

import numpy as np
import pytest

from limbeck.certificates import wording
from limbeck.certificates.bounded import betting_bound, empirical_bernstein
from limbeck.certificates.bounds import MeanBound
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import BOUNDS


@pytest.mark.parametrize(
    ("name", "title", "peer"),
    [("betting", wording.BETTING, betting_bound),
     ("empirical-bernstein", wording.BERNSTEIN, empirical_bernstein)],
)  # fmt: skip
def test_a_name_stands_for_its_function(name, title, peer):
    losses = np.random.default_rng(0).beta(1, 9, 400)
    found = BOUNDS.get(name)
    assert issubclass(found, MeanBound)
    assert found.title == title
    assert found.upper(losses, 0.05, 0.0, 1.0) == peer(losses, 0.05, 0.0, 1.0)


@pytest.mark.parametrize("name", BOUNDS.names())
def test_every_bound_covers_the_mean_as_often_as_it_says(name):
    """At delta = 0.2 at most a fifth of 200 bounds may be below, and three standard errors."""
    rng, delta, runs = np.random.default_rng(1), 0.2, 200
    upper = BOUNDS.get(name).upper
    below = sum(upper(rng.beta(1, 4, 60), delta, 0.0, 1.0) < 0.2 for _ in range(runs))
    assert below / runs <= delta + 3 * (delta * (1 - delta) / runs) ** 0.5


def test_an_unknown_bound_is_refused():
    with pytest.raises(InvalidInput, match=r"no bound 'beting'\. Did you mean 'betting'"):
        BOUNDS.get("beting")
