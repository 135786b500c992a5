from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.students.oblique_tree.counting import regions_at_least
from limbeck.students.oblique_tree.regions import regions_of


def network(*widths, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(widths)]


@pytest.mark.parametrize("widths", [(1, 6, 2), (2, 9, 1), (3, 4, 3, 2), (2, 3, 3, 2, 1)])
def test_no_more_regions_are_said_than_there_are(widths):
    """And most of them: what random inputs show is compared with all of them, enumerated."""
    layers = network(*widths)
    known = regions_of(layers, 10_000).size
    least = regions_at_least(layers, 2 ** sum(widths[1:-1]) - 1)
    assert 0.7 * known <= least <= known


def test_planes_that_do_not_differ_are_no_regions_of_their_own():
    W = np.ones((9, 3))  # one direction nine times
    layers = [(W, np.arange(9.0)), (np.ones((1, 9)), np.zeros(1))]
    assert regions_at_least(layers, 60) <= regions_of(layers, 60).size == 10
    assert regions_at_least([(W * 0, np.ones(9)), layers[1]], 60) == 1


def test_a_network_far_too_large_is_refused_at_once():
    """Its 53 million regions were enumerated up to the limit, which took minutes."""
    started = time.process_time()
    with pytest.raises(InvalidInput, match="30 hidden units has at least 1"):
        regions_of(network(10, 30, 2), 100_000)
    with pytest.raises(InvalidInput, match="max_regions is 100,000"):
        regions_of(network(10, 64, 64, 2), 100_000)
    with pytest.raises(InvalidInput, match=r"at least 1\.6e\+60"):
        regions_of(network(200, 250, 2), 100_000)
    assert time.process_time() - started < 10
