from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from limbeck.core.errors import InvalidInput  # noqa: E402
from limbeck.networks.initialization.pairing import layer_indices  # noqa: E402

pytestmark = pytest.mark.torch


def test_distilberts_layers():
    assert layer_indices("every second", 12, 6) == (0, 2, 4, 7, 9, 11)


@given(
    st.sampled_from(["every second", "first and last", "first"]),
    st.integers(1, 40).flatmap(lambda t: st.tuples(st.just(t), st.integers(1, t))),
)
def test_indices_rise_and_are_layers_of_the_teacher(rule, sizes):
    teacher, student = sizes
    found = layer_indices(rule, teacher, student)
    assert len(found) == len(set(found)) == student
    assert list(found) == sorted(found)
    assert found[0] == 0
    assert found[-1] < teacher
    if rule != "first" and student > 1:
        assert found[-1] == teacher - 1


def test_a_deeper_student_is_refused():
    with pytest.raises(InvalidInput, match="3 layers and the teacher 2"):
        layer_indices("first", 2, 3)
