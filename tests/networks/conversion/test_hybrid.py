from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import itertools

from limbeck.core.errors import InvalidInput
from limbeck.networks.conversion.hybrid import Hybrid, evenly_spread, kept_layers


@given(st.integers(1, 40), st.data())
def test_spread_layers_are_so_many_and_no_two_gaps_differ_by_more_than_one(layers, data):
    count = data.draw(st.integers(1, layers))
    found = evenly_spread(count, layers)
    assert len(set(found)) == count
    gaps = {b - a for a, b in itertools.pairwise(found)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_steps_keep_fewer_and_fewer_layers_each_among_those_before():
    path = Hybrid(keep=0.125, stepwise=(0.5, 0.25)).steps(16)
    assert [len(kept) for kept in path] == [8, 4, 2]
    assert all(set(b) <= set(a) for a, b in itertools.pairwise(path))
    assert path[-1] == evenly_spread(2, 16)
    assert Hybrid(keep=[1]).steps(2) == [(1,)]
    assert Hybrid(keep=0.0).steps(3) == [()]


@pytest.mark.parametrize("keep", [1.0, -0.1, 1.5, "half", [4], [-1], [0, 1, 2, 3], [True], 0.1, 2])
def test_what_cannot_be_kept_is_refused(keep):
    with pytest.raises(InvalidInput):
        kept_layers(keep, 4)


def test_names_are_checked_when_asked_for():
    with pytest.raises(InvalidInput, match="linear_attention"):
        Hybrid(mixer="linear_atention")
    with pytest.raises(InvalidInput, match="largest down"):
        Hybrid(keep=0.1, stepwise=(0.2, 0.5))
    with pytest.raises(InvalidInput, match="less than one layer"):
        kept_layers(0.1, 4)
