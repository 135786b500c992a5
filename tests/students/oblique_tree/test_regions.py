from __future__ import annotations

import itertools

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.students.oblique_tree.regions import planes_of, regions_of


def network(*widths, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(widths)]


@pytest.mark.parametrize(("d", "units"), [(1, 5), (2, 4), (2, 6), (3, 4)])
def test_one_layer_in_general_position_has_as_many_regions_as_planes_cut_out(d, units):
    """Of m planes in d dimensions: the sum of the binomials m over 0 ... d."""
    from math import comb

    found = regions_of(network(d, units, 1), 1000)
    assert found.size == sum(comb(units, i) for i in range(d + 1))


def test_independent_units_need_no_linear_programme():
    found = regions_of(network(8, 6, 2), 1000)
    assert (found.size, found.programmes) == (64, 0)


def test_two_layers_have_every_pattern_that_points_show_and_no_others_empty():
    layers = network(2, 4, 3, 1)
    tree = regions_of(layers, 1000)
    X = np.random.default_rng(1).normal(size=(20_000, 2)) * 5
    first = X @ layers[0][0].T + layers[0][1]
    second = np.maximum(first, 0) @ layers[1][0].T + layers[1][1]
    seen = {tuple(row) for row in np.hstack([first > 0, second > 0]).tolist()}
    leaves = {tuple(row) for row in tree.on[tree.layer < 0].tolist()}
    assert seen <= leaves
    assert len(leaves) == tree.size


def test_planes_are_the_network_in_terms_of_its_inputs():
    layers = network(3, 4, 2)
    tree = regions_of(layers, 100)
    questions, leaves = planes_of(tree, layers)
    at = tree.layer == 0
    expected = np.hstack([layers[0][0], layers[0][1][:, None]])[tree.unit[at]]
    np.testing.assert_allclose(questions[at], expected)
    for i in np.flatnonzero(tree.layer < 0)[:5]:
        W = layers[1][0] * tree.on[i]
        np.testing.assert_allclose(leaves[i][:, :-1], W @ layers[0][0])


def test_units_that_are_constant_or_twice_there_are_asked_once():
    W = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    layers = [(W, np.array([0.0, 0.0, 1.0])), (np.ones((1, 3)), np.zeros(1))]
    tree = regions_of(layers, 10)
    assert tree.size == 2
    assert tree.on[tree.layer < 0].tolist() == [[True, True, True], [False, False, True]]


def test_no_hidden_layer_is_one_region():
    assert regions_of(network(3, 2), 1).size == 1


def test_too_many_regions_say_how_many_were_reached():
    with pytest.raises(InvalidInput, match=r"1,048,576.*max_regions is 1,000"):
        regions_of(network(30, 20, 2), 1000)
    known = regions_of(network(2, 8, 1), 100).size
    with pytest.raises(InvalidInput, match=f"max_regions is {known - 1}"):
        regions_of(network(2, 8, 1), known - 1)
