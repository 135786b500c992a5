from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
import pytest

from limbeck.certificates.class_limits import Limits
from limbeck.certificates.class_sizes import size_up
from limbeck.certificates.frontier import vc_dimension
from limbeck.core.errors import InvalidInput


def cube(d: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=d)), dtype=np.bool_)


def distinct(functions: Iterable[np.ndarray]) -> np.ndarray:
    return np.unique(np.array(list(functions)), axis=0)


def trees(d: int, depth: int, leaves: int) -> np.ndarray:
    """Every function of a tree within both limits, by leaves."""
    X = cube(d)
    known: dict[tuple[int, int], set[bytes]] = {}

    def grow(depth: int, leaves: int) -> set[bytes]:
        if (depth, leaves) not in known:
            out = {np.full(len(X), v).tobytes() for v in (False, True)}
            if depth and leaves > 1:
                for left in range(1, leaves):
                    for a in grow(depth - 1, left):
                        for b in grow(depth - 1, leaves - left):
                            ta, tb = np.frombuffer(a, np.bool_), np.frombuffer(b, np.bool_)
                            out |= {np.where(X[:, j], ta, tb).tobytes() for j in range(d)}
            known[depth, leaves] = out
        return known[depth, leaves]

    return distinct(np.frombuffer(t, np.bool_) for t in grow(depth, leaves))


def juntas(d: int, k: int) -> np.ndarray:
    X = cube(d)
    index = [X[:, c] @ 2 ** np.arange(k) for c in itertools.combinations(range(d), k)]
    return distinct(table[i] for i in index for table in cube(2**k))


def literals(d: int) -> list[np.ndarray]:
    X = cube(d)
    return [X[:, j] ^ s for j in range(d) for s in (False, True)]


def rules(d: int, count: int, width: int) -> np.ndarray:
    size = 2**d
    conditions = [
        np.all(parts, axis=0) if parts else np.ones(size, np.bool_)
        for w in range(width + 1)
        for parts in itertools.combinations(literals(d), w)
    ]
    lists = [np.full(size, v) for v in (False, True)]
    for _ in range(count):
        lists = list(
            distinct(
                [*lists, *(np.where(c, v, b) for c in conditions for v in (0, 1) for b in lists)]
            )
        )
    return distinct(np.array(lists, dtype=np.bool_))


def m_of_n(d: int, k: int) -> np.ndarray:
    constants = [np.full(2**d, v) for v in (False, True)]
    rules = []
    for i in range(1, k + 1):
        for columns in itertools.combinations(range(d), i):
            for signs in itertools.product([False, True], repeat=i):
                held = (cube(d)[:, columns] ^ np.array(signs)).sum(axis=1)
                rules += [held >= m for m in range(1, i + 1)]
    return distinct(constants + rules)


def scorecards(d: int, k: int, points: int) -> np.ndarray:
    out = []
    for weights in itertools.product(range(-points, points + 1), repeat=d):
        if np.count_nonzero(weights) <= k:
            total = cube(d) @ np.array(weights)
            out += [total >= c for c in range(-k * points, k * points + 2)]
    return distinct(out)


@pytest.mark.parametrize(
    ("into", "limits", "functions"),
    [
        ("tree", Limits(3, depth=1), trees(3, 1, 8)),
        ("tree", Limits(4, depth=2), trees(4, 2, 4)),
        ("tree", Limits(3, depth=3), trees(3, 3, 8)),
        ("tree", Limits(4, leaves=3), trees(4, 3, 3)),
        ("tree", Limits(4, leaves=1), trees(4, 3, 1)),
        ("tree", Limits(4, depth=2, leaves=3), trees(4, 2, 3)),
        ("tree", Limits(3, leaves=5), trees(3, 4, 5)),
        ("junta", Limits(4, k=2), juntas(4, 2)),
        ("junta", Limits(7, k=1), juntas(7, 1)),
        ("rules", Limits(3, leaves=2, depth=1), rules(3, 2, 1)),
        ("rules", Limits(3, leaves=2, depth=2), rules(3, 2, 2)),
        ("rules", Limits(4, leaves=3, depth=1), rules(4, 3, 1)),
        ("m_of_n", Limits(4, k=2), m_of_n(4, 2)),
        ("m_of_n", Limits(4, k=4), m_of_n(4, 4)),
        ("m_of_n", Limits(7, k=1), m_of_n(7, 1)),
        ("scorecard", Limits(4, k=2, points=2), scorecards(4, 2, 2)),
        ("scorecard", Limits(3, k=3, points=1), scorecards(3, 3, 1)),
    ],
)  # fmt: skip
def test_sizes_and_dimensions_against_every_function(
    into: str, limits: Limits, functions: np.ndarray
) -> None:
    size = size_up(into, limits)
    assert size.log2_size is not None
    assert math.log2(len(functions)) <= size.log2_size
    assert size.vc_least <= vc_dimension(functions) <= size.log2_size
    assert size.growth(3) == min(3, size.log2_size)


@pytest.mark.parametrize(("depth", "d"), [(1, 3), (1, 7), (2, 4), (2, 8), (3, 100), (4, 100)])
def test_the_dimension_of_trees_is_that_of_the_formula(depth: int, d: int) -> None:
    formula = 2 ** (depth - 1) * (1 + math.floor(math.log2(d - depth + 2)))
    assert size_up("tree", Limits(d, depth=depth)).vc_least == formula
    assert size_up("tree", Limits(d, leaves=2**depth)).vc_least == formula


def test_the_points_of_that_formula_are_shattered() -> None:
    """d = 4, depth 2: two cells of x0, and three points that stumps of x1..x3 shatter in each."""
    d, depth = 4, 2
    stumps = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1]])  # columns: what the three points show
    assert vc_dimension(np.unique([*stumps.T, *(1 - stumps.T), [0] * 3, [1] * 3], axis=0)) == 3
    points = np.array([[cell, *row] for cell in (0, 1) for row in stumps])
    index = points @ 2 ** np.arange(d)[::-1]  # rows of the cube
    assert len({tuple(t) for t in trees(d, depth, 4)[:, index].tolist()}) == 2**6
    assert size_up("tree", Limits(d, depth=depth)).vc_least == 6


@pytest.mark.parametrize(("pairs", "d", "bins"), [(0, 2, 3), (1, 2, 2), (1, 2, 3), (1, 3, 2)])
def test_additive_models_shatter_what_they_say(pairs: int, d: int, bins: int) -> None:
    """The rank of the indicators over all cells, which is the VC dimension of their signs."""
    cells = np.array(list(itertools.product(range(bins), repeat=d)))
    columns = [np.ones(len(cells))]
    columns += [cells[:, j] == b for j in range(d) for b in range(bins)]
    columns += [
        (cells[:, 0] == a) & (cells[:, 1] == b)
        for a in range(bins) for b in range(bins) if pairs
    ]  # fmt: skip
    rank = int(np.linalg.matrix_rank(np.array(columns, dtype=float)))
    size = size_up("additive", Limits(d, thresholds=bins - 1, pairs=pairs))
    assert size.vc_least == rank
    assert size.vc == (rank if d == 2 or not pairs else None)
    assert size.growth(rank) == rank


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_growth_bounds_the_labelings_of_real_stumps(m: int) -> None:
    """Stumps on two real features give every labeling that some split of m points gives."""
    points = np.random.default_rng(0).random((m, 2))
    labelings = set()
    for column in points.T:
        for t in [*column, 2.0]:
            side = column < t
            labelings |= {tuple(np.where(side, a, b).tolist()) for a in (0, 1) for b in (0, 1)}
    size = size_up("tree", Limits(2, depth=1, thresholds=None))
    assert math.log2(len(labelings)) <= size.growth(m) <= m


def test_halfspaces() -> None:
    size = size_up("linear", Limits(4))
    assert (size.words, size.log2_size) == ("linear thresholds of 4 features", None)
    assert (size.vc, size.vc_least) == (5, 5)
    assert size.growth(5) == 5
    assert 5 < size.growth(6) < 6


@pytest.mark.parametrize(
    ("into", "limits", "message"),
    [
        ("wavelet", Limits(4), "no budget for 'wavelet': its filter is learned"),
        ("forest", Limits(4), "no budget for 'forest': limbeck does not distil"),
        ("forrest", Limits(4), "no class of students 'forrest'"),
        ("rules", Limits(4, leaves=2, depth=2, thresholds=None), "thresholds is None for 'rules'"),
        ("m_of_n", Limits(4), "need k"),
        ("scorecard", Limits(4, k=3), "needs k .* and points"),
        ("scorecard", Limits(4, k=3, points=2, classes=3), "classes is 3"),
        ("additive", Limits(3, pairs=4), "pairs is 4, and 3 features make 3 pairs"),
    ],
)
def test_refusals(into: str, limits: Limits, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        size_up(into, limits)


def test_a_list_of_rules_cuts_the_inputs_into_cells_with_stumps() -> None:
    """Rules of two literals choose one of two cells by the first, and are stumps in it."""
    assert size_up("rules", Limits(100, leaves=2, depth=2)).vc_least == 2 * (1 + 6)  # of 99
    assert size_up("rules", Limits(100, leaves=8, depth=3)).vc_least == 4 * (1 + 6)  # of 98


def test_thresholds_multiply_the_tests_of_a_tree() -> None:
    """Three cut points of each of 4 features are 12 booleans."""
    cut = size_up("tree", Limits(features=4, depth=3, thresholds=3))
    assert cut.log2_size == size_up("tree", Limits(features=12, depth=3)).log2_size
