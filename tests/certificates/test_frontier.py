from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from limbeck.certificates.frontier import frontier, mutual_vc, vc_dimension
from limbeck.core.errors import InvalidInput

classes = st.integers(1, 12).flatmap(
    lambda g: st.integers(1, 6).flatmap(lambda m: arrays(np.bool_, (g, m)))
)


def brute_vc(table: np.ndarray) -> int:
    best = 0
    for k in range(1, table.shape[1] + 1):
        for points in itertools.combinations(range(table.shape[1]), k):
            if len({tuple(r) for r in table[:, points].tolist()}) == 2**k:
                best = k
    return best


@given(classes)
@settings(deadline=None, max_examples=50)
def test_vc_dimension_is_that_of_brute_force(table: np.ndarray) -> None:
    assert vc_dimension(table) == brute_vc(table)


def brute_mutual(first: np.ndarray, second: np.ndarray) -> int:
    best = 0
    for k in range(1, first.shape[1] + 1):
        for points in itertools.combinations(range(first.shape[1]), k):
            if all(len({tuple(r) for r in t[:, points].tolist()}) == 2**k for t in (first, second)):
                best = k
    return best


@given(st.data())
@settings(deadline=None, max_examples=50)
def test_mutual_vc_dimension_is_that_of_brute_force(data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 6))
    first, second = (data.draw(arrays(np.bool_, (data.draw(st.integers(1, 24)), m))) for _ in "ab")
    assert mutual_vc(first, second) == mutual_vc(second, first) == brute_mutual(first, second)
    assert mutual_vc(first, first) == vc_dimension(first)


def test_mutual_vc_dimension_can_be_far_below_both() -> None:
    """One class varies on the first four points, the other on the last four."""
    all4 = np.array(list(itertools.product([0, 1], repeat=4)))
    left = np.concatenate([all4, np.zeros_like(all4)], axis=1)
    assert (mutual_vc(left, left[:, ::-1]), vc_dimension(left)) == (0, 4)
    with pytest.raises(InvalidInput, match="teachers know 8 points, the students 4"):
        mutual_vc(left, all4)


def test_known_vc_dimensions() -> None:
    points = np.array(list(itertools.product([0, 1], repeat=4)))
    everything = np.array(list(itertools.product([0, 1], repeat=6)))
    parities = (points @ points.T) % 2
    stumps = np.array([points[:, j] ^ s for j in range(4) for s in (0, 1)])
    line = np.arange(10)
    thresholds = np.array([line >= t for t in range(11)])
    intervals = np.array([(line >= a) & (line < b) for a in range(10) for b in range(a, 11)])
    assert vc_dimension(everything) == 6
    assert vc_dimension(parities) == 4
    assert vc_dimension(stumps) == 3
    assert vc_dimension(thresholds) == 1
    assert vc_dimension(intervals) == 2
    assert vc_dimension(thresholds[:1]) == 0


@given(classes, st.data())
@settings(deadline=None, max_examples=50)
def test_the_frontier_is_that_of_the_definition(table: np.ndarray, data: st.DataObject) -> None:
    teacher = data.draw(arrays(np.bool_, table.shape[1]))
    found = frontier(table, teacher)
    agree = [frozenset(np.flatnonzero(row == teacher)) for row in table]
    undominated = {a for a in agree if not any(a < b for b in agree)}
    assert {agree[i] for i in found.members} == undominated
    assert len(found.members) == len(undominated)
    assert found.vc <= found.class_vc


@given(classes, st.data())
@settings(deadline=None, max_examples=50)
def test_a_teacher_in_the_class_is_alone_on_the_frontier(
    table: np.ndarray, data: st.DataObject
) -> None:
    teacher = table[data.draw(st.integers(0, len(table) - 1))]
    found = frontier(table, teacher)
    assert found.vc == 0
    assert (table[list(found.members)] == teacher).all()


@given(classes, st.data())
@settings(deadline=None, max_examples=40)
def test_the_frontier_holds_a_best_student_for_every_distribution(
    table: np.ndarray, data: st.DataObject
) -> None:
    teacher = data.draw(arrays(np.bool_, table.shape[1]))
    weight = data.draw(arrays(np.int64, table.shape[1], elements=st.integers(0, 5)))
    error = (table != teacher) @ weight
    assert error[list(frontier(table, teacher).members)].min() == error.min()


def test_a_frontier_far_smaller_than_the_class() -> None:
    """Intervals for a teacher that is a threshold: only it is left of 56 functions."""
    line = np.arange(10)
    intervals = np.array([(line >= a) & (line < b) for a in range(10) for b in range(a, 11)])
    found = frontier(intervals, line >= 4)
    assert (len(found.members), found.vc, found.class_vc) == (1, 0, 2)
    outside = frontier(intervals, (line < 3) | (line > 6))
    assert 1 < len(outside.members) < 10
    assert outside.vc <= 1


def test_what_is_too_large_is_refused() -> None:
    table = np.random.default_rng(0).random((400, 60)) < 0.5
    with pytest.raises(InvalidInput, match=r"More than 1,000 sets.*larger limit"):
        vc_dimension(table, limit=1000)


def test_refusals() -> None:
    with pytest.raises(InvalidInput, match="shape"):
        vc_dimension(np.zeros((0, 3)))
    with pytest.raises(InvalidInput, match="booleans"):
        vc_dimension(np.array([[0, 2]]))
    with pytest.raises(InvalidInput, match="teacher has shape"):
        frontier(np.eye(3), np.zeros(2))


def test_points_are_merged_only_where_equal_or_opposite() -> None:
    """The last two points are shattered, and both are 1 in the function that sorts first."""
    table = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 1], [1, 1, 0]])
    assert vc_dimension(table) == 2
    assert vc_dimension(np.hstack([table, 1 - table, table])) == 2


def test_points_on_which_all_agree_are_not_looked_at() -> None:
    table = np.array([[0, 0, 1, 1, 0], [0, 0, 1, 1, 1]], dtype=np.bool_)
    assert vc_dimension(table, limit=1) == 1
    assert vc_dimension(np.hstack([table, table]), limit=1) == 1  # nor is a point twice
