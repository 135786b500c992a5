from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.junta.table import CellTable, cut, level, levels_of, spread

X = Feature("x", unit="mm")


def test_few_numbers_are_cut_halfway_and_many_at_quantiles() -> None:
    ones = np.ones(100)
    few = np.array([1.0, 2.0, 4.0, np.nan] * 25)
    assert cut(X, few, ones, 8)[0] == pytest.approx([1.5, 3.0])
    assert cut(X, few, ones, 8)[1].tolist() == [[1.0, 2.0], [2.0, 4.0]]
    many = np.arange(1.0, 101.0)
    assert cut(X, many, ones, 4)[0] == pytest.approx([25.5, 50.5, 75.5])
    assert cut(X, many, np.where(many <= 50, 1.0, 0.0), 2)[0] == pytest.approx([25.5])
    atom = np.r_[np.zeros(90), np.arange(1.0, 11.0)]
    assert cut(X, atom, ones, 4)[0] == pytest.approx([0.5])
    assert cut(X, np.full(3, np.nan), np.ones(3), 4)[0].tolist() == []
    assert cut(Feature("b", "boolean"), few, ones, 8)[0].tolist() == []


def test_values_that_float32_cannot_tell_apart_share_a_level() -> None:
    x = np.array([1.0, np.nextafter(1.0, 2.0), np.nextafter(np.float32(1), np.float32(2))])
    edges, _ = cut(X, x, np.ones(3), 8)
    assert level(x, edges, 3).tolist() == [0, 0, 1]
    assert level(x.astype(np.float32).astype(np.float64), edges, 3).tolist() == [0, 0, 1]


def test_levels() -> None:
    edges = np.array([1.0, 2.0])
    x = np.array([0.0, 1.0, 1.5, 2.0, 9.0, np.nan])
    assert level(x, edges, levels_of(X, edges)).tolist() == [0, 0, 1, 1, 2, 3]
    none = np.empty(0)
    c = Feature("c", "categorical", levels=("a", "b"))
    assert level(np.array([0.0, 1.0, np.nan]), none, levels_of(c, none)).tolist() == [0, 1, 2]
    assert level(np.array([-5.0, 5.0, np.nan]), none, levels_of(X, none)).tolist() == [0, 0, 1]


@settings(max_examples=25, deadline=None)
@given(
    levels=st.lists(st.integers(1, 4), min_size=0, max_size=4),
    seed=st.integers(0, 1000),
    share=st.floats(0.05, 1),
)
def test_spread_agrees_with_the_plain_search(levels: list[int], seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    cells = list(itertools.product(*(range(c) for c in levels)))
    weight = rng.integers(1, 4, len(cells)) * (rng.random(len(cells)) < share) * 1.0
    weight[0] = max(weight[0], 1.0)
    value = np.arange(len(cells), dtype=float).reshape(-1, 1)
    found = spread(levels, value, weight)[:, 0]
    for i, cell in enumerate(cells):

        def cost(j: int, cell: tuple[int, ...] = cell) -> tuple[float, float, int]:
            far = sum(a != b for a, b in zip(cell, cells[j], strict=True))
            return far, -weight[j], j

        assert found[i] == min(np.flatnonzero(weight), key=cost)


def test_words() -> None:
    features = Features((X, Feature("b", "boolean"), Feature("c", "categorical", levels=("u",))))
    table = CellTable(
        (0, 1, 2), (np.array([1.0, 2.5]), np.empty(0), np.empty(0)), (4, 3, 2),
        np.zeros((24, 1)), np.ones(24),
    )  # fmt: skip
    assert table.problem(features, 1) == ""
    assert table.words(features) == [
        ["<= 1 mm", "(1, 2.5] mm", "> 2.5 mm", "missing"],
        ["false", "true", "missing"],
        ["u", "missing"],
    ]
    assert table.seen()[5] == (5, (0, 2, 1))


@pytest.mark.parametrize(
    ("variables", "edges", "levels", "message"),
    [
        ((0, 0), ([], []), (2, 2), "differ"),
        ((5,), ([],), (2,), "among"),
        ((0,), ([2.0, 1.0],), (4,), "increasing"),
        ((0,), ([1.0],), (2,), "cannot have 2 levels"),
        ((1,), ([1.0],), (3,), "no edges"),
        ((0,), ([1.0],), (3,), "shape"),
    ],
)
def test_problems(variables: tuple[int, ...], edges: tuple, levels: tuple, message: str) -> None:
    features = Features((X, Feature("b", "boolean")))
    table = CellTable(variables, edges, levels, np.zeros((7, 1)), np.ones(7))
    assert message in table.problem(features, 1)
