from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limbeck.students.sparse_sum.selection import OrthogonalSelection


def selection(matrix, targets, numbers=None, folds=5, weight=None):
    n = matrix.shape[1]
    fold = np.sort(np.arange(n) % folds)
    weight = np.ones(n) if weight is None else weight
    numbers = np.zeros(len(matrix), dtype=np.int64) if numbers is None else np.asarray(numbers)
    return OrthogonalSelection(matrix.astype(np.float32), targets, weight, fold, numbers), fold


def explained(matrix, target, chosen, weight=None):
    """Weighted squares that a regression on the chosen candidates and a constant explains."""
    w = np.sqrt(np.ones(len(target)) if weight is None else weight)
    X = np.column_stack([np.ones(len(target)), *(matrix[m] for m in chosen)]) * w[:, None]
    rest = target * w - X @ np.linalg.lstsq(X, target * w, rcond=None)[0]
    constant = target - np.average(target, weights=w**2)
    return float((constant * w) @ (constant * w) - rest @ rest)


def everything(matrix):
    return np.ones(len(matrix), dtype=bool)


def test_the_terms_of_a_planted_sum_are_found_in_order_of_what_they_explain() -> None:
    rng = np.random.default_rng(0)
    C = rng.standard_normal((30, 400))
    z = 3 * C[4] - 2 * C[17] + C[9]
    chooser, _ = selection(C, z[:, None])
    assert chooser.choose([2, 3, 4, 9], everything(C), free=1) == [
        [(4, 0)],
        [(4, 0), (17, 0)],
        [(4, 0), (17, 0), (9, 0)],
        [(4, 0), (17, 0), (9, 0)],  # nothing is left to explain
    ]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), without=st.sampled_from([None, 0, 3]))
def test_each_step_is_the_best_by_gain_per_number(seed, without) -> None:
    """Every choice is checked against regressions that are made from nothing."""
    rng = np.random.default_rng(seed)
    C = rng.standard_normal((8, 60)) + rng.standard_normal(60)
    z, weight = rng.standard_normal(60), rng.random(60) + 0.1
    numbers = rng.integers(0, 3, 8)
    chooser, fold = selection(C, z[:, None], numbers, weight=weight)
    use = np.ones(5)
    if without is not None:
        use[without] = 0
    walked, _ = chooser._walk([30], everything(C), use, 1, 1.0)[0]
    inside = fold != without
    chosen: list[int] = []
    for m, _ in walked[:4]:
        before = explained(C[:, inside], z[inside], chosen, weight[inside])
        gains = {
            c: (explained(C[:, inside], z[inside], [*chosen, c], weight[inside]) - before)
            / (numbers[c] + 1)
            for c in range(8) if c not in chosen
        }  # fmt: skip
        assert gains[m] == pytest.approx(max(gains.values()), rel=1e-3)
        chosen.append(m)


def test_a_dear_term_that_does_the_work_of_cheap_ones_is_taken() -> None:
    x = np.linspace(-1, 1, 200)
    C = np.stack([x, (x > 0).astype(float)])
    C = (C - C.mean(axis=1, keepdims=True)) / C.std(axis=1, keepdims=True)
    chooser, _ = selection(C, (x > 0)[:, None].astype(float), [0, 1])
    assert chooser.choose([3], everything(C), free=1) == [[(1, 0)]]


def test_no_sum_is_over_its_budget_and_intercepts_and_shared_terms_are_priced() -> None:
    rng = np.random.default_rng(1)
    C, numbers = rng.standard_normal((20, 300)), rng.integers(0, 4, 20)
    Z = np.stack([C[0] + C[1], C[0] - C[2], C[3] + 0.1 * C[0]], axis=1)
    chooser, _ = selection(C, Z, numbers)
    for budget, chosen in zip(range(1, 30), chooser.choose(range(1, 30), everything(C)),
                              strict=True):  # fmt: skip
        terms, outputs = {m for m, _ in chosen}, {c for _, c in chosen}
        assert numbers[list(terms)].sum() + len(chosen) + len(outputs) <= budget
    assert len({m for m, _ in chosen}) < len(chosen)  # term 0 serves several outputs


def test_what_is_not_allowed_constant_or_double_is_not_chosen() -> None:
    rng = np.random.default_rng(2)
    C = rng.standard_normal((5, 100))
    C[1], C[2] = C[0], 0.0
    chooser, _ = selection(C, (C[0] + C[3])[:, None])
    allowed = everything(C)
    allowed[3] = False
    chosen = [m for m, _ in chooser.choose([10], allowed, free=1)[0]]
    assert chosen[0] in (0, 1)
    assert len({0, 1} & set(chosen)) == 1
    assert not {2, 3} & set(chosen)


def test_pairs_are_as_good_as_the_best_pair_where_columns_are_apart() -> None:
    rng = np.random.default_rng(3)
    C = np.linalg.qr(rng.standard_normal((200, 10)))[0].T
    C = C - C.mean(axis=1, keepdims=True)
    z = rng.standard_normal(10) @ C
    chooser, _ = selection(C, z[:, None])
    found = [m for m, _ in chooser.choose([3], everything(C), free=1)[0]]
    best = max(explained(C, z, pair) for pair in combinations(range(10), 2))
    assert explained(C, z, found) == pytest.approx(best, rel=0.02)
